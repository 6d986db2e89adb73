/**
 * Version numbers. TF-Serving's are int64, the gateway's are doubles: JSON and metrics would round anything above 2^53 - 1
 * (RFC 8259, 6), and the next request would name another version. Seconds, milli- and microseconds since 1970 are below it.
 */
import { GatewayError } from '../../errors.ts';

const RANGE = `a whole number from 0 to 2^53 - 1 (${Number.MAX_SAFE_INTEGER})`;

/** Returns the version that a server has sent. Throws `model_failed` for one that is out of range. */
export function servedVersion(version: number): number {
  if (isVersion(version)) return version;
  throw new GatewayError('model_failed', `The model server has version ${version}, but a version has to be ${RANGE}.`);
}

/** Throws `invalid_request` for a version of a request that is out of range. */
export function checkVersion(version: number | undefined): void {
  if (version === undefined || isVersion(version)) return;
  throw new GatewayError('invalid_request', `version: must be ${RANGE}.`);
}

function isVersion(version: number): boolean {
  return Number.isSafeInteger(version) && version >= 0;
}
