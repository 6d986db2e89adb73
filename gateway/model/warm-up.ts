/** Warm-up: does the slow first calls before the first request. */

import type { Backend, PredictCall } from '../domain/backend.ts';
import { ELEMENTS } from '../domain/elements.ts';
import type { FillRow, FreeRows, MeasurePixels } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import { elementCount } from '../domain/shape.ts';
import { asGatewayError } from '../errors.ts';
import type { Binding } from './signatures.ts';

/** TensorFlow builds the graph of a signature on its first Predict, which takes seconds for a large model. */
const WARM_UP_MS = 3000;

export type WarmUpParts = {
  readonly backend: Backend;
  readonly fillRow: FillRow;
  /** A picture in a format that is offered. */
  readonly pixel: Uint8Array;
};

/**
 * Sends one Predict of zeros, or of a pixel where the model takes encoded pictures. Its failure is only logged: requests
 * may succeed all the same. Decodes and scales one pixel; throws when that fails.
 */
export async function warmUp(binding: Binding, parts: WarmUpParts, own: RequestContext): Promise<void> {
  const { backend, fillRow, pixel } = parts;
  const { card, signature, image, version, input, answer } = binding;
  const servable = { model: card.name, version };
  const call = backend.prepare({ servable, signature, input, answer }, 1);
  const isEncoded = 'encoded' in image || input.dtype === 'DT_STRING';
  if (isEncoded) call.setString(0, pixel);
  else call.tensor.fill(0);
  const [isAnswered] = await Promise.all([
    isSent(call, binding, own),
    isEncoded ? undefined : fillRow({ bytes: pixel, spec: image, field: 'pixel' }, unusedRow(input), own),
  ]);
  if (isAnswered) call.release();
}

/** Measures zeros: the tables of a spec are made with its first row. */
export function measureOnce({ image, input }: Binding, measurePixels: MeasurePixels): void {
  if (!('encoded' in image)) measurePixels(zeros(input), pixelType(input), image);
}

/** A row that is not sent: the request's own is on its way. */
function unusedRow(input: Binding['input']): FreeRows {
  return { type: pixelType(input), fill: (write) => void write(zeros(input)) };
}

const pixelType = ({ dtype }: Binding['input']) => (dtype === 'DT_STRING' ? 'DT_UINT8' : dtype);

const zeros = (input: Binding['input']) => new ELEMENTS[pixelType(input)](elementCount(input.shape));

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
