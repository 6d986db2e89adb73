/** Serves, drains, closes: the gateway stops without losing a request that it has accepted. */
import type { Server } from 'node:http';
import { Server as Listener } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Time between two checks for unanswered requests: a request may be on its way on an idle connection. */
const QUIET_MS = 250;

export type Lifecycle = {
  /** Adds a server: counts its unanswered requests, and stops it when the gateway drains. Returns it. */
  add(server: Server): Server;
  isDraining(): boolean;
  /**
   * Stops accepting connections and waits until every accepted request is answered. After `timeoutMs` closes the
   * connections that are left. Resolves to whether all requests were answered.
   */
  drain(timeoutMs: number): Promise<boolean>;
  /** Closes the servers and their connections at once. */
  close(): void;
};

/** Creates a lifecycle in the serving state. */
export function createLifecycle(): Lifecycle {
  const servers: Server[] = [];
  let draining = false;
  let unanswered = 0;

  /** True once two checks, QUIET_MS apart, found no unanswered request; false after `untilMs`. */
  async function allAnswered(untilMs: number): Promise<boolean> {
    while (performance.now() < untilMs) {
      const before = unanswered;
      await sleep(QUIET_MS);
      if (before + unanswered === 0) return true;
    }
    return false;
  }

  return {
    add(server) {
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
    async drain(timeoutMs) {
      draining = true;
      const closed = Promise.all(
        servers.map((server) => new Promise<void>((resolve) => stopListening(server, resolve))),
      );
      const answered = await Promise.race([closed.then(() => true), allAnswered(performance.now() + timeoutMs)]);
      // These connections are idle, or their requests have timed out.
      for (const server of servers) server.closeAllConnections();
      await closed;
      return answered;
    },
    close() {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

/**
 * Stops accepting connections. http.Server.close() would also close idle connections, and lose a request that a client
 * has just sent on one. Here such a request is answered, and its answer closes the connection.
 */
function stopListening(server: Server, onClosed: () => void): void {
  Listener.prototype.close.call(server, onClosed);
}
