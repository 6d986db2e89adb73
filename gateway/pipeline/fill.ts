/** The second stage: each image becomes a row of the input: decoded, resized and normalised, or its bytes as they are. */
import type { PredictCall } from '../domain/backend.ts';
import type { Instance } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import type { Binding } from '../model/signatures.ts';
import { forEachInstance, type Outcomes } from './outcomes.ts';
import type { Stages } from './stages.ts';

export type Batch = {
  readonly image: Binding['card']['image'];
  /** Encoded images. */
  readonly images: ReadonlyMap<Instance, Uint8Array>;
  /** A call with room for every image; its tensor is written in place. */
  readonly call: Pick<PredictCall, 'tensor' | 'setString'>;
  /** Images decoded at the same time. */
  readonly atOnce: number;
};

/**
 * Fills the tensor and gives the row of each image that could be decoded. Rows are taken in the order of completion, without
 * gaps.
 */
export async function fillTensor(
  { decode, normalise, checkEncoded }: Pick<Stages, 'decode' | 'normalise' | 'checkEncoded'>,
  { image, images, call, atOnce }: Batch,
  context: RequestContext,
): Promise<Outcomes<number>> {
  let filled = 0;

  async function fillNextRow(instance: Instance): Promise<number> {
    const bytes = images.get(instance) ?? new Uint8Array();
    if (instance.kind === 'row') {
      bytesOf(call.tensor, filled, images.size).set(bytes);
    } else if ('encoded' in image) {
      checkEncoded(bytes, instance.field);
      call.setString(filled, bytes);
    } else {
      const pixels = await decode(bytes, image, instance.field, context);
      const { tensor } = call;
      const rowLength = tensor.length / images.size;
      normalise(pixels, image, tensor.subarray(filled * rowLength, (filled + 1) * rowLength));
      pixels.release();
    }
    // No await since the row was written, so no other image takes it.
    filled += 1;
    return filled - 1;
  }

  return forEachInstance(images.keys(), atOnce, context, (instance) =>
    context.time('decode', () => fillNextRow(instance)),
  );
}

/** The bytes of a row. */
function bytesOf({ buffer, byteOffset, byteLength }: PredictCall['tensor'], row: number, rows: number): Uint8Array {
  const rowBytes = byteLength / rows;
  return new Uint8Array(buffer, byteOffset + row * rowBytes, rowBytes);
}
