/** Warm-up: does the slow first calls before the first request. */

import type { Backend } from '../domain/backend.ts';
import type { Decode, Normalise } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import { asGatewayError } from '../errors.ts';
import type { Binding } from './signatures.ts';

/** TensorFlow builds the graph of a signature on its first Predict, which takes seconds for a large model. */
const WARM_UP_MS = 3000;

/** A grey pixel as PNG. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAADElEQVQI12NoaGgAAAMEAYGa8M1PAAAAAElFTkSuQmCC',
  'base64',
);

export type WarmUpParts = {
  readonly backend: Backend;
  readonly decode: Decode;
  readonly normalise: Normalise;
  /** Resolves when pictures can be decoded. */
  readonly decoders: { ready(signal: AbortSignal): Promise<void> };
};

/**
 * Sends one Predict of zeros, or of a pixel where the model takes encoded pictures; waits for the decoders, decodes and
 * scales one pixel. A failure is only logged: requests may succeed all the same.
 */
export async function warmUp(binding: Binding, parts: WarmUpParts, own: RequestContext): Promise<void> {
  const { backend, decode, normalise, decoders } = parts;
  const { card, version, input } = binding;
  const context = { ...own, signal: AbortSignal.any([own.signal, AbortSignal.timeout(WARM_UP_MS)]) };
  const servable = { model: card.name, version };
  const call = backend.prepare({ servable, signature: card.signature, input }, 1);
  const { image } = card;
  if ('encoded' in image) call.setString(0, PIXEL);
  else call.tensor.fill(0);
  try {
    await Promise.all([call.send(1, context), decoders.ready(context.signal)]);
    if ('encoded' in image) return call.release();
    const pixels = await decode(PIXEL, image, 'pixel', context);
    normalise(pixels, image, call.tensor);
    pixels.release();
    call.release();
  } catch (thrown) {
    const { message, cause } = asGatewayError(thrown);
    own.log.info({ model: card.name, version, detail: message, cause }, 'the warm-up failed');
  }
}
