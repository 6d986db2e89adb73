/** A prediction that waits to be written: a copy of what its lines need. */
import type { RequestContext, Stage } from '../../domain/request.ts';
import type { Tensor } from '../../domain/tensor.ts';
import type { GivenIds } from '../../pipeline/given-ids.ts';
import type { Predicted, PredictedPicture } from '../../pipeline/predicted.ts';

/** Copying more would delay other requests by milliseconds. Larger requests have no digests and no values in the log. */
const MAX_COPIED_BYTES = 16 * 2 ** 20;
/** About what a row takes until it is written. */
const ROW_BYTES = 512;

/** A tensor without its elements, where the request was too large to copy. */
export type HeldTensor = Tensor | Pick<Tensor, 'dtype' | 'shape'>;
export type HeldTensors = ReadonlyMap<string, HeldTensor>;

export type HeldPicture = Pick<PredictedPicture, 'row'> & {
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

/** The memory that it takes until its lines are written. */
export function heldBytes(predicted: Predicted): number {
  const bytes = bytesOf(predicted);
  return (bytes > MAX_COPIED_BYTES ? 0 : bytes) + lineCount(predicted) * ROW_BYTES;
}

/** Copies what the lines need: the pipeline moves and frees its memory once the answer is written. */
export function hold(predicted: Predicted, { id, trace, route, times }: RequestContext): Held {
  const about = { time: new Date(), requestId: id, traceId: trace.id, route, times: new Map(times) };
  if (predicted.kind === 'relayed') return { ...about, ...predicted };
  const isCopied = bytesOf(predicted) <= MAX_COPIED_BYTES;
  const ids = copyIds(predicted.ids);
  const copyAll = (tensors: ReadonlyMap<string, Tensor>): HeldTensors =>
    new Map(Array.from(tensors, ([name, tensor]) => [name, isCopied ? copy(tensor) : withoutElements(tensor)]));
  if (predicted.kind === 'tensors') {
    return { ...about, ...predicted, ids, inputs: copyAll(predicted.inputs), outputs: copyAll(predicted.outputs) };
  }
  const pictures = predicted.pictures.map(({ row, instance, bytes, outputs }) => ({
    row,
    isRow: instance.kind === 'row',
    url: instance.kind === 'url' ? instance.url : undefined,
    length: bytes.length,
    bytes: isCopied ? new Uint8Array(bytes) : undefined,
    outputs: copyAll(outputs),
  }));
  return { ...about, ...predicted, ids, pictures };
}

function bytesOf(predicted: Predicted): number {
  if (predicted.kind === 'relayed') return 0;
  if (predicted.kind === 'tensors') return tensorBytes(predicted.inputs) + tensorBytes(predicted.outputs);
  return predicted.pictures.reduce((sum, { bytes, outputs }) => sum + bytes.length + tensorBytes(outputs), 0);
}

function tensorBytes(tensors: ReadonlyMap<string, Tensor>): number {
  return tensors.values().reduce((sum, tensor) => sum + lengthOf(tensor), 0);
}

function lengthOf(tensor: Tensor): number {
  return 'offsets' in tensor ? (tensor.offsets.at(-1) ?? 0) - (tensor.offsets[0] ?? 0) : tensor.bytes.length;
}

function copyIds(ids: GivenIds | undefined): GivenIds | undefined {
  return ids !== undefined && 'offsets' in ids ? copy(ids) : ids;
}

/** A row of a tensor shares the memory of all rows: only its own part is copied. */
function copy<Given extends Tensor>(tensor: Given): Given {
  if (!('offsets' in tensor)) return { ...tensor, bytes: new Uint8Array(tensor.bytes) };
  const start = tensor.offsets[0] ?? 0;
  const bytes = new Uint8Array(tensor.bytes.subarray(start, tensor.offsets.at(-1)));
  return { ...tensor, bytes, offsets: tensor.offsets.map((offset) => offset - start) };
}

function withoutElements({ dtype, shape }: Tensor): HeldTensor {
  return { dtype, shape };
}
