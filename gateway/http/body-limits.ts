/** The limits of a request's body: its size and images. */
import type { IncomingMessage } from 'node:http';
import { tooLarge } from '../door/body-limits.ts';
import { GatewayError } from '../errors.ts';

/** Throws `body_too_large` for a Content-Length above the limit, before the body is read. */
export function refuseDeclared({ headers }: IncomingMessage, limit: number, setting: string): void {
  if (Number(headers['content-length']) > limit) throw tooLarge(limit, setting);
}

/** The error of a request with more images than MAX_INSTANCES. */
export function tooManyInstances(maxInstances: number): GatewayError {
  return new GatewayError(
    'body_too_large',
    `instances: at most ${maxInstances} images in one request (MAX_INSTANCES).`,
  );
}
