/** A prediction whose lines are to be made: what they need of it, shared with the request or copied. */
import type { RequestContext, Stage } from '../../domain/request.ts';
import type { Tensor } from '../../domain/tensor.ts';
import type { GivenIds } from '../../pipeline/given-ids.ts';
import type { Predicted, PredictedPicture } from '../../pipeline/predicted.ts';
import { copyTensor, copyTensors, elementBytes, tensorBytes } from '../../tensor/copy.ts';

/** Copying more would delay other requests by milliseconds. Larger requests have no digests and no values in the log. */
const MAX_COPIED_BYTES = 16 * 2 ** 20;
/** The lines of smaller requests are made at once, in a millisecond or two: that costs less than a copy and a later turn. */
const SMALL_BYTES = 256 * 1024;
const SMALL_LINES = 16;
/** About what a row takes until it is written. */
const ROW_BYTES = 512;

/** A tensor without its elements, where the request was too large to copy. */
export type HeldTensor = Tensor | Pick<Tensor, 'dtype' | 'shape'>;
export type HeldTensors = ReadonlyMap<string, HeldTensor>;

export type HeldPicture = Pick<PredictedPicture, 'row' | 'statistics'> & {
  /** As it was in the request: encoded, or pixels that are a row of the input. */
  readonly isRow: boolean;
  readonly url: string | undefined;
  readonly length: number;
  /** Undefined where the request was too large to copy. */
  readonly bytes: Uint8Array | undefined;
  readonly outputs: HeldTensors;
};

type OfKind<Kind extends Predicted['kind']> = Extract<Predicted, { kind: Kind }>;

export type Held = {
  readonly time: Date;
  readonly requestId: string;
  readonly traceId: string;
  readonly route: string;
  readonly times: ReadonlyMap<Stage, number>;
} & (
  | (Omit<OfKind<'pictures'>, 'pictures'> & { readonly pictures: readonly HeldPicture[] })
  | (Omit<OfKind<'tensors'>, 'inputs' | 'outputs'> & { readonly inputs: HeldTensors; readonly outputs: HeldTensors })
  | OfKind<'relayed'>
);

/** The lines that it becomes. */
export function lineCount(predicted: Predicted): number {
  if (predicted.kind === 'pictures') return predicted.pictures.length;
  return predicted.kind === 'tensors' ? predicted.rows : 1;
}

/** Whether its lines can be made before the request goes on. */
export function isSmall(predicted: Predicted): boolean {
  return lineCount(predicted) <= SMALL_LINES && bytesOf(predicted) <= SMALL_BYTES;
}

/** The memory that a copy takes until its lines are written. */
export function heldBytes(predicted: Predicted): number {
  const bytes = bytesOf(predicted);
  return (bytes > MAX_COPIED_BYTES ? 0 : bytes) + lineCount(predicted) * ROW_BYTES;
}

/** What the lines need, for as long as the request is there: it shares its memory. */
export function view(predicted: Predicted, context: RequestContext): Held {
  return heldBy(SHARED, predicted, context);
}

/** A copy of what the lines need: the pipeline moves and frees its memory once the answer is written. */
export function hold(predicted: Predicted, context: RequestContext): Held {
  return heldBy(bytesOf(predicted) <= MAX_COPIED_BYTES ? COPIED : SIZES_ONLY, predicted, context);
}

/** How the parts of a prediction are kept. */
type Keep = {
  readonly bytes: (bytes: Uint8Array) => Uint8Array | undefined;
  readonly tensors: (tensors: ReadonlyMap<string, Tensor>) => HeldTensors;
  readonly ids: (ids: GivenIds | undefined) => GivenIds | undefined;
};

const SHARED: Keep = { bytes: (bytes) => bytes, tensors: (tensors) => tensors, ids: (ids) => ids };
const COPIED: Keep = {
  bytes: (bytes) => new Uint8Array(bytes),
  tensors: copyTensors,
  ids: copyIds,
};
const SIZES_ONLY: Keep = {
  bytes: () => undefined,
  tensors: (tensors) => new Map(Array.from(tensors, ([name, { dtype, shape }]) => [name, { dtype, shape }])),
  ids: copyIds,
};

function heldBy(keep: Keep, predicted: Predicted, { id, trace, route, times }: RequestContext): Held {
  const about = { time: new Date(), requestId: id, traceId: trace.id, route, times: new Map(times) };
  if (predicted.kind === 'relayed') return { ...about, ...predicted };
  const ids = keep.ids(predicted.ids);
  if (predicted.kind === 'tensors') {
    const { inputs, outputs } = predicted;
    return { ...about, ...predicted, ids, inputs: keep.tensors(inputs), outputs: keep.tensors(outputs) };
  }
  const pictures = predicted.pictures.map(({ row, instance, bytes, outputs, statistics }) => ({
    row,
    statistics,
    isRow: instance.kind === 'row',
    url: instance.kind === 'url' ? instance.url : undefined,
    length: bytes.length,
    bytes: keep.bytes(bytes),
    outputs: keep.tensors(outputs),
  }));
  return { ...about, ...predicted, ids, pictures };
}

function bytesOf(predicted: Predicted): number {
  if (predicted.kind === 'relayed') return 0;
  const ids = idBytes(predicted.ids);
  if (predicted.kind === 'tensors') return ids + tensorBytes(predicted.inputs) + tensorBytes(predicted.outputs);
  return predicted.pictures.reduce((sum, { bytes, outputs }) => sum + bytes.length + tensorBytes(outputs), ids);
}

function idBytes(ids: GivenIds | undefined): number {
  if (ids === undefined) return 0;
  return 'offsets' in ids ? elementBytes(ids) : ids.reduce((sum, id = '') => sum + id.length, 0);
}

function copyIds(ids: GivenIds | undefined): GivenIds | undefined {
  return ids !== undefined && 'offsets' in ids ? copyTensor(ids) : ids;
}
