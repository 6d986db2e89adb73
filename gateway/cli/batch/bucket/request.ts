/**
 * One request to a store. With node:http, not fetch: fetch ends the process if a server closes the connection while the answer is
 * still being read (nodejs/undici, `assert(!this.paused)`).
 */
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ObjectRequest } from '../../../fetch/bucket/store.ts';

/** For a request with its body, and again for the answer: 5 GB, the largest upload, need 9 MB a second. */
const TIMEOUT_MS = 600_000;

/** Sends it and resolves to the head of the answer. The caller reads or destroys the body. Rejects if nothing answers. */
export async function sendTo({ method, url, headers }: ObjectRequest, body?: Blob): Promise<http.IncomingMessage> {
  const length = body ? { 'content-length': body.size } : {};
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const { request } = url.protocol === 'https:' ? https : http;
  const sending = request(url, { method, headers: { ...headers, ...length }, signal });
  const answered = once(sending, 'response') as Promise<[http.IncomingMessage]>;
  // An error of sending is an error of the answer too, unless the store has answered before it read everything.
  pipeline(body ? Readable.fromWeb(body.stream()) : [], sending).catch(() => {});
  const [response] = await answered;
  return response;
}
