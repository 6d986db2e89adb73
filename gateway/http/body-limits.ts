/** The limits of a request's body: its time, encoding and size. */
import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../errors.ts';

/** The error of a body that had not arrived when the signal was aborted. */
export function lateBody({ reason: cause }: AbortSignal): GatewayError {
  return new GatewayError('client_timeout', 'The body did not arrive before the deadline.', { cause });
}

/** Throws `unsupported_media` for a compressed body, and for words that are no encoding. An empty list is no encoding. */
export function refuseEncoded({ headers }: IncomingMessage): void {
  const words = (headers['content-encoding'] ?? '').toLowerCase().split(',');
  if (words.every((word) => ['', 'identity'].includes(word.trim()))) return;
  throw new GatewayError('unsupported_media', 'Content-Encoding: send the body uncompressed, without this header.');
}

/** Throws `body_too_large` for a Content-Length above the limit, before the body is read. */
export function refuseDeclared({ headers }: IncomingMessage, limit: number, setting: string): void {
  if (Number(headers['content-length']) > limit) throw tooLarge(limit, setting);
}

/** The error of a body or a file of more than `limit` bytes. `setting`: the one to raise. */
export function tooLarge(limit: number, setting: string): GatewayError {
  return new GatewayError('body_too_large', `The body is larger than ${limit} bytes (${setting}).`);
}

/** The error of a request with more images than MAX_INSTANCES. */
export function tooManyInstances(maxInstances: number): GatewayError {
  return new GatewayError(
    'body_too_large',
    `instances: at most ${maxInstances} images in one request (MAX_INSTANCES).`,
  );
}
