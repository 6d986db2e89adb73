/** The errors of a body that is too large or too late. */
import { GatewayError } from '../errors.ts';

/** The error of a body that had not arrived when the signal was aborted. */
export function lateBody({ reason: cause }: AbortSignal): GatewayError {
  return new GatewayError('client_timeout', 'The body did not arrive before the deadline.', { cause });
}

/** The error of a body or a file of more than `limit` bytes. `setting`: the one to raise. */
export function tooLarge(limit: number, setting: string): GatewayError {
  return new GatewayError('body_too_large', `The body is larger than ${limit} bytes (${setting}).`);
}
