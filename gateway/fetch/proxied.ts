/** Sends requests through an egress proxy, each on a new connection. */
import type { LookupAddress } from 'node:dns';
import type { ClientRequest, RequestOptions } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { http } from '../domain/node-http.ts';
import { responseTo } from './connection.ts';
import { sourceTimeout } from './failure.ts';
import { MAX_HEAD_BYTES } from './response-head.ts';
import type { Sender, SenderOptions } from './sender.ts';
import { SourceConnection } from './source-connection.ts';
import { SourcePlaces } from './source-places.ts';
import { openTunnel } from './tunnel.ts';
import { inTime, unlessAborted } from './wait.ts';

/**
 * Creates the sender. The socket's peer is the proxy, so there is no peer to check. The proxy is told which address to
 * connect to instead, and only gets addresses that the guard has allowed.
 */
export function createProxiedSender(proxy: URL, options: SenderOptions): Sender {
  const { headers, connectTimeoutMs, maxSockets, maxTotalSockets, maxBodyBytes } = options;
  const places = new SourcePlaces({ perSource: maxSockets, inAll: maxTotalSockets });
  const closing = new AbortController();

  return {
    async send(url, addresses, fetchSignal, own) {
      const evicted = new AbortController();
      const signal = AbortSignal.any([fetchSignal, closing.signal, evicted.signal]);
      using taken = new DisposableStack();
      taken.defer(await places.acquire(url.origin, signal, (error) => evicted.abort(error)));
      const limit = { timeoutMs: connectTimeoutMs, signal, timedOut: sourceTimeout };
      const socket = await inTime(limit, (either) => openAny(proxy, url, addresses, either));
      const ofConnection = taken.move();
      socket.once('close', () => ofConnection.dispose());
      const connection = new SourceConnection(socket, maxBodyBytes);
      const request = startGet(url, connection, { headers: { ...headers, ...own }, signal });
      const response = await unlessAborted(signal, responseTo(request));
      evicted.signal.addEventListener('abort', () => response.destroy(evicted.signal.reason));
      return response;
    },
    close: () => closing.abort(new Error('the fetch is closed')),
  };
}

/**
 * Opens a tunnel to the first address of a family, then of the other one: the proxy may have only one of the two
 * networks.
 */
async function openAny(
  proxy: URL,
  url: URL,
  addresses: readonly LookupAddress[],
  signal: AbortSignal,
): Promise<Socket> {
  const errors: unknown[] = [];
  for (const { address } of firstOfEachFamily(addresses)) {
    try {
      return await openTunnel(proxy, url, address, signal);
    } catch (error) {
      signal.throwIfAborted();
      errors.push(error);
    }
  }
  throw new AggregateError(errors);
}

const firstOfEachFamily = (addresses: readonly LookupAddress[]) =>
  addresses.filter(({ family }, at) => addresses.findIndex((other) => other.family === family) === at);

function startGet(url: URL, connection: SourceConnection, options: RequestOptions): ClientRequest {
  const all = { ...options, createConnection: () => connection, maxHeaderSize: MAX_HEAD_BYTES };
  return url.protocol === 'https:' ? https.get(url, all) : http.get(url, all);
}
