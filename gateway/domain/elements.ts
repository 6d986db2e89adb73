/** The elements of tensors as typed arrays and as numbers. */
import type { Tensor } from './tensor.ts';

/**
 * The array of each type whose elements are numbers. bfloat16 has no typed array: its elements are bits. Tensors are
 * little-endian, typed arrays have the machine's byte order: every platform of Node 24 except s390x is little-endian, and a
 * test checks it.
 */
export const ELEMENTS = {
  DT_FLOAT: Float32Array,
  DT_DOUBLE: Float64Array,
  DT_HALF: Float16Array,
  DT_BFLOAT16: Uint16Array,
  DT_INT8: Int8Array,
  DT_INT16: Int16Array,
  DT_INT32: Int32Array,
  DT_INT64: BigInt64Array,
  DT_UINT8: Uint8Array,
  DT_UINT16: Uint16Array,
  DT_UINT32: Uint32Array,
  DT_UINT64: BigUint64Array,
  DT_BOOL: Uint8Array,
} as const;

export type NumericDType = keyof typeof ELEMENTS;

export type Elements = {
  [Name in NumericDType]: InstanceType<(typeof ELEMENTS)[Name]> & { readonly buffer: ArrayBuffer };
}[NumericDType];

/** Whether the elements of a type are numbers: neither strings, nor a type that is not served. */
export function isNumeric(dtype: string): dtype is NumericDType {
  return Object.hasOwn(ELEMENTS, dtype);
}

/** The elements of a tensor of numbers. Undefined for strings. Elements that share their memory with others are copied. */
export function elementsOf(tensor: Tensor): Elements | undefined {
  if (!('bytes' in tensor) || !isNumeric(tensor.dtype)) return undefined;
  const { bytes } = tensor;
  // Typed arrays need an aligned start, and the elements of an answer are a view of its message.
  const isWhole = bytes.length === bytes.buffer.byteLength;
  const { buffer } = isWhole ? bytes : new Uint8Array(bytes);
  return new ELEMENTS[tensor.dtype](buffer as ArrayBuffer) as Elements;
}

/** The elements as numbers; 64-bit integers as the nearest double. No numbers for strings. */
export function numbersOf(tensor: Tensor): ArrayLike<number> {
  const elements = elementsOf(tensor) ?? [];
  if (elements instanceof BigInt64Array || elements instanceof BigUint64Array)
    return Float64Array.from(elements, Number);
  if (tensor.dtype === 'DT_BFLOAT16') return Float32Array.from(elements, bfloat16Value);
  return elements;
}

/** A bfloat16 is the upper half of the float32 of the same value. */
export function bfloat16Value(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0] ?? 0;
}

/** The bits of the nearest bfloat16, ties to even. */
export function bfloat16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
