/** Shared by the tests of fetch: origins on loopback, options, and the error of a failed fetch. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { GatewayError, type Kind } from '../errors.ts';
import { createFetch, type Fetch, type FetchOptions } from './http.ts';
import type { Lookup } from './resolve.ts';

/**
 * An address that tests open. `INSIDE` is the internal address that must not be reached. All of 127/8 is loopback on
 * Linux.
 */
export const OUTSIDE = '127.0.0.2';
export const INSIDE = '127.0.0.1';

export type Origin = {
  readonly port: number;
  readonly url: string;
  readonly requests: http.IncomingMessage[];
  readonly connections: () => number;
};

/** Starts an HTTP server for one test. It records its requests and counts its connections. */
export async function startOrigin(t: TestContext, answer: http.RequestListener, host = INSIDE): Promise<Origin> {
  const requests: http.IncomingMessage[] = [];
  const server = http.createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  const port = await listen(t, server, host);
  t.after(() => server.closeAllConnections());
  return { port, url: `http://${host}:${port}/`, requests, connections: () => connections };
}

/** Starts a TCP server for one test. It calls `answer` for every connection, without reading the request. */
export async function startRawOrigin(t: TestContext, answer: (socket: net.Socket) => void): Promise<string> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // the gateway closes connections with malformed responses
    answer(socket);
  });
  const port = await listen(t, server, INSIDE);
  t.after(() => sockets.forEach((socket) => void socket.destroy()));
  return `http://${INSIDE}:${port}/`;
}

async function listen(t: TestContext, server: net.Server, host: string): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A lookup with these names only. */
export function names(table: Readonly<Record<string, readonly string[]>>): Lookup {
  return async (host) => {
    const addresses = Object.hasOwn(table, host) ? table[host] : undefined;
    if (!addresses) throw Object.assign(new Error(`queryA ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
    return addresses.map((address) => ({ address, family: net.isIP(address) }));
  };
}

const DEFAULTS: FetchOptions = {
  maxBytes: 1_000_000,
  allow: [],
  deny: [],
  allowPrivate: false,
  ports: [80, 443],
  maxRedirects: 3,
  connectTimeoutMs: 2000,
  timeoutMs: 5000,
  maxSockets: 8,
  userAgent: 'tensorgate/test',
  lookup: names({}),
};

/** Creates the fetch under test, with the product's defaults and the given options. By default no name resolves. */
export function openFetch(t: TestContext, options: Partial<FetchOptions> = {}): Fetch {
  const fetch = createFetch({ ...DEFAULTS, ...options });
  t.after(() => fetch.close());
  return fetch;
}

/** A context whose client stays connected until the test aborts the signal. */
export const context = (signal = new AbortController().signal) => ({ signal });

/** The GatewayError of a failed fetch. Fails the test on success or on another error. */
export async function failureOf(fetching: Promise<unknown>, kind?: Kind): Promise<GatewayError> {
  const error = await fetching.then(
    () => assert.fail('the fetch succeeded'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof GatewayError, String(error));
  if (kind) assert.equal(error.kind, kind, `${error.message} (${(error.cause as Error).message})`);
  return error;
}
