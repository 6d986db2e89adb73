/** Which requests are in the log, where it has only a part of them. */
import { hash } from 'node:crypto';

const DIGITS = 8;

/**
 * Whether a request is in the sample: the first 32 bits of the SHA-256 of its id, as a part of 1, are below the share. All
 * instances of a request are in it, or none, and every replica decides alike.
 */
export function isInSample(requestId: string, share: number): boolean {
  if (share >= 1) return true;
  return Number.parseInt(hash('sha256', requestId).slice(0, DIGITS), 16) / 16 ** DIGITS < share;
}
