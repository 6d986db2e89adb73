/** Calls that look something up: they run no model, and their answers are small. */
import { performance } from 'node:perf_hooks';
import { GatewayError } from '../../errors.ts';
import { isTooLarge, statusOf } from './failure.ts';
import { frame } from './framing.ts';
import type { Unary } from './unary.ts';

/** The server answers look-ups from memory, but a saturated one takes long. Callers with less time pass a signal. */
const LOOK_UP_TIMEOUT_MS = 30_000;

/** Some thousand tensors of signatures, or ten thousand versions. One look-up of a model runs at a time. */
export const MAX_LOOK_UP_BYTES = 2 ** 20;

/** Enough for 10,000 versions, or for signatures of 5,000 tensors. It bounds the time to a few milliseconds. */
export const MAX_LOOK_UP_FIELDS = 2 ** 16;

/** More of an error's text is not kept: one is logged and shown for each version. */
export const MAX_ERROR_CHARACTERS = 1000;

const TOO_LARGE =
  'What the model server says of the model is larger than 1 MiB; load fewer versions, or export fewer signatures and tensors.';

/** Sends a message to the given server, or to any. Resolves to the answer's message. */
export type LookUpCall = (
  path: string,
  message: Uint8Array,
  signal: AbortSignal,
  server: string | undefined,
) => Promise<Buffer>;

/** Makes the call. Failed RPCs throw the GatewayErrors of failure.ts, and TOO_LARGE. */
export function createLookUpCall(unary: Unary): LookUpCall {
  return (path, message, signal, server) =>
    unary({
      path,
      framed: frame(message),
      deadlineMs: performance.now() + LOOK_UP_TIMEOUT_MS,
      maxResponseBytes: MAX_LOOK_UP_BYTES,
      signal,
      ...(server !== undefined && { only: new Set([server]) }),
    }).catch((thrown: unknown) => {
      const failed = statusOf(thrown);
      throw failed && isTooLarge(failed) ? new GatewayError('model_failed', TOO_LARGE, { cause: thrown }) : thrown;
    });
}
