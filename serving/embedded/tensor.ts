/** Converts TensorProto to plain tensors and back, with the rules of tensorflow::Tensor::FromProto and AsProtoField. */

import {
  COMPLEX,
  type ComplexType,
  DTYPES,
  type DType,
  isComplex,
  isDType,
  type NumberArray,
  type ValueField,
} from './dtype.ts';
import type { TensorProto } from './protocol.ts';
import { invalidArgument } from './status.ts';
import { bytesOfString, stringOfBytes } from './string-bytes.ts';
import { joinStrings, splitStrings } from './string-content.ts';

/** Row-major elements: little-endian bytes (not always aligned to the element), or strings of `stringOfBytes`. */
export type InputTensor = {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Uint8Array<ArrayBuffer> | string[];
};

/** A tensor that can be read, but that no model takes. */
export type ComplexTensor = { readonly dtype: ComplexType; readonly shape: readonly number[] };

export type OutputTensor = {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: NumberArray | string[];
};

/** Bounds the memory that a short request can allocate: one value in `float_val` can fill a tensor of any shape. */
const MAX_FILLED_BYTES = 512 * 1024 * 1024;
/** What a string takes at least, as a JavaScript value and in ONNX Runtime. */
const STRING_BYTES = 32;

/**
 * Reads a tensor of a request. `tensor_content` of numbers is not copied: `data` is a view of the message. A `*_val` list
 * that is shorter than the shape repeats its last value; an empty list means zeros; surplus values are dropped.
 * @throws StatusError INVALID_ARGUMENT with TF-Serving's text, if type, shape and values do not match
 */
export function readTensor(alias: string, proto: TensorProto): InputTensor | ComplexTensor {
  const shape = proto.tensor_shape?.dim.map(({ size }) => Number(size)) ?? [];
  const { dtype } = proto;
  const isShape = !proto.tensor_shape?.unknown_rank && shape.every((size) => size >= 0);
  if (isShape && isComplex(dtype) && isComplexContent(proto, dtype, shape)) return { dtype, shape };
  const data = isShape && isDType(dtype) ? readData(proto, dtype, shape) : undefined;
  if (data === undefined) throw invalidArgument(`tensor parsing error: ${alias}`);
  return { dtype: dtype as DType, shape, data };
}

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function isComplexContent({ tensor_content: content }: TensorProto, dtype: ComplexType, shape: readonly number[]) {
  return content.length === 0 || content.length === countOf(shape) * COMPLEX[dtype].bytes;
}

function readData(proto: TensorProto, dtype: DType, shape: readonly number[]): InputTensor['data'] | undefined {
  const { array } = DTYPES[dtype];
  const count = countOf(shape);
  const byteLength = count * (array?.BYTES_PER_ELEMENT ?? STRING_BYTES);
  const content = proto.tensor_content as Buffer<ArrayBuffer>;
  if (array && content.length > 0) return content.length === byteLength ? content : undefined;
  if (byteLength > MAX_FILLED_BYTES) return undefined;
  if (array) return fillNumbers(proto, new array(count));
  if (content.length > 0) return splitStrings(content, count)?.map(stringOfBytes);
  return fillStrings(proto.string_val, count);
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

function fillStrings(values: readonly Buffer[], count: number): string[] {
  const texts = values.slice(0, count).map(stringOfBytes);
  const last = texts.at(-1) ?? '';
  return [...texts, ...new Array<string>(count - texts.length).fill(last)];
}

/** Writes a tensor of a response: into the `*_val` field of its type, or as `tensor_content`. */
export function writeTensor(tensor: OutputTensor, asTensorContent: boolean): Partial<TensorProto> {
  const { dtype, shape, data } = tensor;
  const head = { dtype, tensor_shape: { dim: shape.map((size) => ({ size })) } };
  if (!asTensorContent) return { ...head, [DTYPES[dtype].field]: valuesOf(tensor) };
  if (Array.isArray(data)) return { ...head, tensor_content: joinStrings(data.map(bytesOfString)) };
  return { ...head, tensor_content: Buffer.from(data.buffer, data.byteOffset, data.byteLength) };
}

function valuesOf({ dtype, data }: OutputTensor): TensorProto[ValueField] {
  if (Array.isArray(data)) return data.map(bytesOfString);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Array.from(data, String);
  if (dtype === 'DT_BOOL') return Array.from(data, Boolean);
  return Array.from(data);
}
