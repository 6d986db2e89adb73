/** Warm-up: does the slow first calls before the first request. */

import type { Backend, PredictCall } from '../domain/backend.ts';
import type { Decode, Normalise } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import { asGatewayError } from '../errors.ts';
import type { Binding } from './signatures.ts';

/** TensorFlow builds the graph of a signature on its first Predict, which takes seconds for a large model. */
const WARM_UP_MS = 3000;

export type WarmUpParts = {
  readonly backend: Backend;
  readonly decode: Decode;
  readonly normalise: Normalise;
  /** A picture in a format that is offered. */
  readonly pixel: Uint8Array;
};

/**
 * Sends one Predict of zeros, or of a pixel where the model takes encoded pictures. Its failure is only logged: requests
 * may succeed all the same. Decodes and scales one pixel; throws when that fails.
 */
export async function warmUp(binding: Binding, parts: WarmUpParts, own: RequestContext): Promise<void> {
  const { backend, decode, normalise, pixel } = parts;
  const { card, signature, image, version, input, answer } = binding;
  const servable = { model: card.name, version };
  const call = backend.prepare({ servable, signature, input, answer }, 1);
  if ('encoded' in image) call.setString(0, pixel);
  else call.tensor.fill(0);
  const [isAnswered, pixels] = await Promise.all([
    isSent(call, binding, own),
    'encoded' in image ? undefined : decode(pixel, image, 'pixel', own),
  ]);
  if (pixels && isAnswered && !('encoded' in image)) normalise(pixels, image, call.tensor);
  pixels?.release();
  if (isAnswered) call.release();
}

/** Whether the model server answered in time. */
async function isSent(call: PredictCall, { card, version }: Binding, own: RequestContext): Promise<boolean> {
  const context = { ...own, signal: AbortSignal.any([own.signal, AbortSignal.timeout(WARM_UP_MS)]) };
  try {
    await call.send(1, context);
    return true;
  } catch (thrown) {
    const { message, cause } = asGatewayError(thrown);
    own.log.info({ model: card.name, version, detail: message, cause }, 'the warm-up failed');
    return false;
  }
}
