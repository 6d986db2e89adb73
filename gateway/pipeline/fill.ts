/** The second stage: each image becomes a row of the input: decoded, resized and scaled, or its bytes as they are. */
import type { PredictCall, PredictTarget } from '../domain/backend.ts';
import type { DecoderName, FreeRows, Instance, PictureStatistics } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import type { Span } from '../domain/span.ts';
import type { Binding } from '../model/signatures.ts';
import { forEachInstance, type Outcomes } from './outcomes.ts';
import type { Stages } from './stages.ts';

export type Batch = {
  readonly image: Binding['card']['image'];
  /** Encoded images. */
  readonly images: ReadonlyMap<Instance, Uint8Array>;
  /** A call with room for every image; its tensor is written in place. */
  readonly call: Pick<PredictCall, 'tensor' | 'setString'>;
  readonly dtype: PredictTarget['input']['dtype'];
  /** Images decoded at the same time. */
  readonly atOnce: number;
};

/** The row of each image, and the statistics of those that the gateway has decoded. */
export type FilledTensor = Outcomes<number> & { readonly statistics: ReadonlyMap<Instance, PictureStatistics> };

/**
 * Fills the tensor and gives the row of each image that could be decoded. Rows are taken in the order of completion, without
 * gaps.
 */
export async function fillTensor(
  { fillRow, checkEncoded, measurePixels }: Pick<Stages, 'fillRow' | 'checkEncoded' | 'measurePixels'>,
  { image, images, call, dtype, atOnce }: Batch,
  context: RequestContext,
): Promise<FilledTensor> {
  let filled = 0;
  const statistics = new Map<Instance, PictureStatistics>();
  const decoders = new Set<DecoderName>();

  /** The next row. `onFilled` gets its number. */
  function freeRows(onFilled: (row: number) => void): FreeRows {
    if (dtype === 'DT_STRING') throw new RangeError('a tensor of strings has no rows of numbers');
    return {
      type: dtype,
      fill(write) {
        const { tensor } = call;
        const rowLength = tensor.length / images.size;
        if (!write(tensor.subarray(filled * rowLength, (filled + 1) * rowLength))) return;
        onFilled(filled);
        filled += 1;
      },
    };
  }

  async function fillNextRow(instance: Instance, span: Span | undefined): Promise<number> {
    const bytes = images.get(instance) ?? new Uint8Array();
    span?.setAttributes({ 'tensorgate.field': instance.field, 'tensorgate.bytes': bytes.length });
    if (instance.kind !== 'row' && !('encoded' in image)) {
      let row = Number.NaN;
      const rows = freeRows((number) => {
        row = number;
      });
      const decoder = await fillRow({ bytes, spec: image, field: instance.field }, rows, context);
      span?.setAttributes({ 'tensorgate.decoder': decoder });
      decoders.add(decoder);
      const { tensor } = call;
      const rowLength = tensor.length / images.size;
      const written = tensor.subarray(row * rowLength, (row + 1) * rowLength);
      statistics.set(instance, measurePixels(written, rows.type, image));
      return row;
    }
    if (instance.kind === 'row') bytesOf(call.tensor, filled, images.size).set(bytes);
    else {
      checkEncoded(bytes, instance.field);
      call.setString(filled, bytes);
    }
    filled += 1;
    return filled - 1;
  }

  const outcomes = await forEachInstance(images.keys(), atOnce, context, (instance) =>
    context.time('decode', (span) => fillNextRow(instance, span)),
  );
  if (decoders.size > 0) context.note({ decoder: [...decoders].sort().join('+') });
  return { ...outcomes, statistics };
}

/** The bytes of a row. */
function bytesOf({ buffer, byteOffset, byteLength }: PredictCall['tensor'], row: number, rows: number): Uint8Array {
  const rowBytes = byteLength / rows;
  return new Uint8Array(buffer, byteOffset + row * rowBytes, rowBytes);
}
