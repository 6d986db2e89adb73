/** Serves, drains, closes: the gateway stops without losing a request that it has accepted. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Time between two checks for unanswered requests: a request may be on its way on an idle connection. */
const QUIET_MS = 250;

/** A server of any protocol. */
export type Drainable = {
  /** Calls the listener for each request, with what emits `close` when it is answered or its client has gone. */
  onRequest(listener: (answering: { once(event: 'close', listener: () => void): unknown }) => void): void;
  /** Accepts no more connections. Calls `onClosed` when the last one has closed. */
  stop(onClosed: () => void): void;
  /** Closes the server and all connections at once. */
  close(): void;
};

export type Lifecycle = {
  /** Adds a server: counts its unanswered requests, and stops it when the gateway drains. */
  add(server: Drainable): void;
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
  const servers: Drainable[] = [];
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
      server.onRequest((answering) => {
        unanswered += 1;
        answering.once('close', () => {
          unanswered -= 1;
        });
      });
      servers.push(server);
    },
    isDraining: () => draining,
    async drain(timeoutMs) {
      draining = true;
      const closed = Promise.all(servers.map((server) => new Promise<void>((resolve) => server.stop(resolve))));
      const answered = await Promise.race([closed.then(() => true), allAnswered(performance.now() + timeoutMs)]);
      // These connections are idle, or their requests have timed out.
      for (const server of servers) server.close();
      await closed;
      return answered;
    },
    close() {
      for (const server of servers) server.close();
    },
  };
}
