/** Converts TensorProto to plain tensors and back, with the rules of tensorflow::Tensor::FromProto and AsProtoField. */

import { DTYPES, type DType, isDType, type NumberArray, type ValueField } from './dtype.ts';
import type { TensorProto } from './protocol.ts';
import { invalidArgument } from './status.ts';

/** Row-major elements: little-endian bytes (not always aligned to the element), or strings. */
export type InputTensor = {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Uint8Array<ArrayBuffer> | string[];
};

export type OutputTensor = {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: NumberArray | string[];
};

/** Bounds the memory that a short request can allocate: one value in `float_val` can fill a tensor of any shape. */
const MAX_FILLED_BYTES = 512 * 1024 * 1024;

/**
 * Reads a tensor of a request. `tensor_content` is not copied: `data` is a view of the message. A `*_val` list that is
 * shorter than the shape repeats its last value; an empty list means zeros; surplus values are dropped.
 * @throws StatusError INVALID_ARGUMENT with TF-Serving's text, if type, shape and values do not match
 */
export function readTensor(alias: string, proto: TensorProto): InputTensor {
  const shape = proto.tensor_shape?.dim.map(({ size }) => Number(size)) ?? [];
  const data = proto.tensor_shape?.unknown_rank ? undefined : readData(proto, shape);
  if (data === undefined) throw invalidArgument(`tensor parsing error: ${alias}`);
  return { dtype: proto.dtype as DType, shape, data };
}

function readData(proto: TensorProto, shape: readonly number[]): InputTensor['data'] | undefined {
  if (!isDType(proto.dtype) || shape.some((size) => size < 0)) return undefined;
  const { array, field } = DTYPES[proto.dtype];
  const count = shape.reduce((product, size) => product * size, 1);
  const byteLength = count * (array?.BYTES_PER_ELEMENT ?? 1);
  const content = proto.tensor_content as Buffer<ArrayBuffer>;
  if (content.length > 0) return array && content.length === byteLength ? content : undefined;
  if (byteLength > MAX_FILLED_BYTES) return undefined;
  return array ? fillNumbers(proto, new array(count)) : fillStrings(proto[field] as Buffer[], count);
}

function fillNumbers(proto: TensorProto, target: NumberArray): Uint8Array<ArrayBuffer> {
  const values = proto[DTYPES[proto.dtype as DType].field];
  const last = values.at(-1);
  const convert = target instanceof BigInt64Array || target instanceof BigUint64Array ? BigInt : Number;
  for (let i = 0; i < Math.min(values.length, target.length); i++) target[i] = convert(values[i] as string);
  if (last !== undefined && values.length < target.length) {
    (target as { fill(value: unknown, start: number): void }).fill(convert(last as string), values.length);
  }
  return new Uint8Array(target.buffer);
}

function fillStrings(values: readonly Buffer[], count: number): string[] | undefined {
  const last = values.at(-1) ?? Buffer.alloc(0);
  const texts = Array.from({ length: count }, (_, i) => utf8(values[i] ?? last));
  return texts.includes(undefined) ? undefined : (texts as string[]);
}

/** ONNX strings must be UTF-8; TensorFlow's can be any bytes. */
function utf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Writes a tensor of a response: into the `*_val` field of its type, or as `tensor_content` (never for strings). */
export function writeTensor(tensor: OutputTensor, asTensorContent: boolean): Partial<TensorProto> {
  const { dtype, shape, data } = tensor;
  const head = { dtype, tensor_shape: { dim: shape.map((size) => ({ size })) } };
  if (!asTensorContent || Array.isArray(data)) return { ...head, [DTYPES[dtype].field]: valuesOf(tensor) };
  return { ...head, tensor_content: Buffer.from(data.buffer, data.byteOffset, data.byteLength) };
}

function valuesOf({ dtype, data }: OutputTensor): TensorProto[ValueField] {
  if (Array.isArray(data)) return data.map((text) => Buffer.from(text));
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Array.from(data, String);
  if (dtype === 'DT_BOOL') return Array.from(data, Boolean);
  return Array.from(data);
}
