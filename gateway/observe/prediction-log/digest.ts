/** SHA-256 of bytes of any length, without a long stay of the event loop. */
import { createHash, hash } from 'node:crypto';
import type { Steps } from '../../domain/steps.ts';

/** Bytes of one step: a millisecond or two. */
const STEP_BYTES = 2 ** 20;

/** Yields after each MiB. */
export function* sha256(bytes: Uint8Array): Steps<string> {
  if (bytes.length <= STEP_BYTES) return hash('sha256', bytes);
  const digest = createHash('sha256');
  for (let at = 0; at < bytes.length; at += STEP_BYTES) {
    digest.update(bytes.subarray(at, at + STEP_BYTES));
    yield;
  }
  return digest.digest('hex');
}
