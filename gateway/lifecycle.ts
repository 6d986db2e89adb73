/** Serving, then draining, then closed: how the gateway stops without losing a request it has accepted. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A connection without a request may be one whose request is on its way: it gets this long. */
const QUIET_MS = 250;

/** Headers are small: a client that takes longer for them is a slow loris. */
const MAX_HEADERS_MS = 10_000;

/**
 * Longer than any proxy keeps a connection it may send the next request on (Google's load balancer: 600 s, nginx: 60 s),
 * or that request would meet a closed socket, and a POST is not sent twice.
 */
const KEEP_ALIVE_MS = 620_000;

export type Lifecycle = {
  /** Makes a server whose requests are waited for. A request has to be here, body and all, in `requestTimeoutMs`. */
  serve(listener: RequestListener, requestTimeoutMs: number): Server;
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
    serve(listener, requestTimeoutMs) {
      const limits = {
        requestTimeout: requestTimeoutMs,
        headersTimeout: Math.min(requestTimeoutMs, MAX_HEADERS_MS),
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: 1000,
      };
      const server = createServer(limits, listener).on('request', (_request, response) => {
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
      const closed = Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      const answered = await Promise.race([closed.then(() => true), allAnswered(performance.now() + patienceMs)]);
      // What is open now never sent a request, which Node does not count as idle, or ran out of patience.
      for (const server of servers) server.closeAllConnections();
      await closed;
      return answered;
    },
  };
}
