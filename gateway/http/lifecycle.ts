/** Serving, then draining, then closed: how the gateway stops without losing a request it has accepted. */
import type { Server } from 'node:http';
import { Server as Listener } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A connection without a request may be one whose request is on its way: it gets this long. */
const QUIET_MS = 250;

export type Lifecycle = {
  /** Takes a server on, whose requests are waited for. */
  serve(server: Server): Server;
  isDraining(): boolean;
  /**
   * Stops accepting, waits until every accepted request is answered, and cuts off what is left after `patienceMs`.
   * Resolves to whether all were answered.
   */
  drain(patienceMs: number): Promise<boolean>;
};

/** Makes a lifecycle that is serving. */
export function createLifecycle(): Lifecycle {
  const servers: Server[] = [];
  let draining = false;
  let unanswered = 0;

  async function allAnswered(untilMs: number): Promise<boolean> {
    while (performance.now() < untilMs) {
      const before = unanswered;
      await sleep(QUIET_MS);
      if (before + unanswered === 0) return true;
    }
    return false;
  }

  return {
    serve(server) {
      server.on('request', (_request, response) => {
        unanswered += 1;
        response.once('close', () => {
          unanswered -= 1;
        });
      });
      servers.push(server);
      return server;
    },
    isDraining: () => draining,
    async drain(patienceMs) {
      draining = true;
      const closed = Promise.all(
        servers.map((server) => new Promise<void>((resolve) => stopListening(server, resolve))),
      );
      const answered = await Promise.race([closed.then(() => true), allAnswered(performance.now() + patienceMs)]);
      // What is open now has no request, or ran out of patience.
      for (const server of servers) server.closeAllConnections();
      await closed;
      return answered;
    },
  };
}

/**
 * An HTTP server's own close() ends idle connections at once, and with them the request that a client has just sent on one.
 * Here they get their answer, which closes the connection.
 */
function stopListening(server: Server, onClosed: () => void): void {
  Listener.prototype.close.call(server, onClosed);
}
