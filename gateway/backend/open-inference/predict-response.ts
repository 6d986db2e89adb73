/** Reads a serialized ModelInferResponse: the version that answered and the outputs that are wanted. */
import { ELEMENTS, isNumeric } from '../../domain/elements.ts';
import { elementCount } from '../../domain/shape.ts';
import { inTurns } from '../../domain/steps.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { asGatewayError } from '../../errors.ts';
import { dtypeOf } from '../../tensor/datatype.ts';
import { FieldReader } from '../../tensor/field-reader.ts';
import { readNumberContents, readStringContents } from '../../tensor/infer-contents.ts';
import { type InferTensor, readInferTensor } from '../../tensor/infer-tensor.ts';
import { misfit, tooMany } from '../../tensor/misfit.ts';
import { ownMemoryBytes } from '../../tensor/own-memory.ts';
import { splitPrefixed } from '../../tensor/prefixed-strings.ts';
import type { Wanted } from '../grpc/protocol.ts';
import { asUnreadable, readable } from '../grpc/readable.ts';

/** It bounds the time. The elements of lists are counted by themselves: a response has some fields for each output. */
const MAX_FIELDS = 2 ** 16;

export type Answer = {
  /** The version as the server names it. Empty: it does not. */
  readonly version: string;
  /** The outputs that were wanted, by their names. */
  readonly outputs: ReadonlyMap<string, Tensor>;
};

/** An output with its contents: a view of the raw ones, or the lists. */
type Received = InferTensor & { readonly raw: Uint8Array | undefined };

/**
 * Reads the response. Outputs of a datatype that the protocol does not have are left out. Throws `model_failed` for bytes that
 * are no ModelInferResponse, for tensors that contradict themselves, and for more elements than are wanted.
 */
export async function readAnswer(response: Uint8Array, wanted: Wanted): Promise<Answer> {
  const { version, received } = readable(() => readTensors(response));
  const outputs = new Map<string, Tensor>();
  let elements = wanted.elements;
  for (const output of received) {
    const { name, shape } = output;
    if (!wanted.outputs.includes(name)) continue;
    const count = countOf(shape);
    if (count > elements) throw tooMany(shape);
    elements -= count;
    const tensor = await readTensor(output, count, wanted.take);
    if (tensor) outputs.set(name, tensor);
  }
  return { version, outputs };
}

/** The version as the server names it. Throws `model_failed` for bytes that are no ModelInferResponse. */
export function readAnsweredVersion(response: Uint8Array): string {
  return readable(() => {
    let version = '';
    const at = new FieldReader(response, { fields: MAX_FIELDS });
    while (at.next()) if (at.field === 2) version = at.text;
    return version;
  });
}

function readTensors(response: Uint8Array): { readonly version: string; readonly received: readonly Received[] } {
  let version = '';
  const [tensors, raw]: [InferTensor[], Uint8Array[]] = [[], []];
  const at = new FieldReader(response, { fields: MAX_FIELDS });
  while (at.next()) {
    if (at.field === 2) version = at.text;
    if (at.field === 5) tensors.push(readInferTensor(at.message));
    if (at.field === 6) raw.push(at.bytes);
  }
  return { version, received: tensors.map((tensor, index) => ({ ...tensor, raw: raw[index] })) };
}

function countOf(shape: readonly number[]): number {
  const count = elementCount(shape);
  if (Number.isSafeInteger(count) && shape.every((size) => size >= 0)) return count;
  throw misfit('values', shape);
}

async function readTensor(
  { name, datatype, shape, raw, lists }: Received,
  count: number,
  take: Wanted['take'],
): Promise<Tensor | undefined> {
  const dtype = dtypeOf(datatype);
  if (dtype === undefined) return undefined;
  take?.(ownMemoryBytes(dtype, count, raw ? undefined : (lists?.length ?? 0)));
  if (!raw) {
    const list = { bytes: lists ?? new Uint8Array(), count, place: name };
    try {
      if (!isNumeric(dtype)) return await readStringContents(list, shape);
      return { dtype, shape, bytes: await readNumberContents(list, dtype) };
    } catch (thrown) {
      throw asMisfit(thrown, shape);
    }
  }
  if (!isNumeric(dtype)) {
    const strings = await inTurns(splitPrefixed(raw, shape, count));
    if (strings) return strings;
  } else if (raw.length === count * ELEMENTS[dtype].BYTES_PER_ELEMENT) return { dtype, shape, bytes: raw };
  throw misfit(`${raw.length} bytes of ${datatype}`, shape);
}

/** The error for contents that are not those of the shape. The reader of contents takes them for a client's. */
function asMisfit(thrown: unknown, shape: readonly number[]): unknown {
  const error = asGatewayError(asUnreadable(thrown));
  return error.kind === 'invalid_tensor' ? misfit(error.message, shape) : error;
}
