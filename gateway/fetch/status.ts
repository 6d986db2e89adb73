/** Which statuses of a source are a success. */
import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../errors.ts';

/** 203 is a 200 that a proxy has changed (RFC 9110, 15.3.4). */
const SUCCESSES: ReadonlySet<number | undefined> = new Set([200, 203]);

/** Throws `source_failed` for every other status, 206 and 304 too: the request was for a whole image. */
export function requireSuccess({ statusCode: sourceStatus = 0 }: Pick<IncomingMessage, 'statusCode'>): void {
  if (SUCCESSES.has(sourceStatus)) return;
  throw new GatewayError('source_failed', `the source answered with status ${sourceStatus}`, { sourceStatus });
}
