/** TensorFlow's element types: their numbers in the protocol, their sizes, and how their values are read. */
import type { DType } from '../domain/tensor.ts';

/** The field of TensorProto that lists the values of a type. */
export type ListField =
  | 'float_val'
  | 'double_val'
  | 'half_val'
  | 'int_val'
  | 'int64_val'
  | 'bool_val'
  | 'uint32_val'
  | 'uint64_val';

export type NumericType = {
  /** The number in the enum DataType. */
  readonly number: number;
  readonly elementBytes: number;
  readonly list: ListField;
  /** Reads all elements of a buffer, in this machine's byte order (see below). */
  readonly read: (buffer: ArrayBuffer) => ArrayLike<number>;
  /** The list holds bit patterns, not values: the low bytes of each entry are one element. */
  readonly listHoldsBits?: true;
};

/**
 * The types whose elements are numbers. Their bytes are little-endian and are read with typed arrays, which use the
 * machine's byte order. Every platform of Node 24 except s390x is little-endian; a test checks it.
 * 64-bit integers become the nearest double, exact up to 2^53.
 */
export const NUMERIC_TYPES = {
  DT_FLOAT: { number: 1, elementBytes: 4, list: 'float_val', read: (buffer) => new Float32Array(buffer) },
  DT_DOUBLE: { number: 2, elementBytes: 8, list: 'double_val', read: (buffer) => new Float64Array(buffer) },
  DT_INT32: { number: 3, elementBytes: 4, list: 'int_val', read: (buffer) => new Int32Array(buffer) },
  DT_UINT8: { number: 4, elementBytes: 1, list: 'int_val', read: (buffer) => new Uint8Array(buffer) },
  DT_INT16: { number: 5, elementBytes: 2, list: 'int_val', read: (buffer) => new Int16Array(buffer) },
  DT_INT8: { number: 6, elementBytes: 1, list: 'int_val', read: (buffer) => new Int8Array(buffer) },
  DT_INT64: {
    number: 9,
    elementBytes: 8,
    list: 'int64_val',
    read: (buffer) => Float64Array.from(new BigInt64Array(buffer), Number),
  },
  DT_BOOL: { number: 10, elementBytes: 1, list: 'bool_val', read: (buffer) => new Uint8Array(buffer) },
  DT_BFLOAT16: { number: 14, elementBytes: 2, list: 'half_val', read: readBfloat16, listHoldsBits: true },
  DT_UINT16: { number: 17, elementBytes: 2, list: 'int_val', read: (buffer) => new Uint16Array(buffer) },
  DT_HALF: {
    number: 19,
    elementBytes: 2,
    list: 'half_val',
    read: (buffer) => new Float16Array(buffer),
    listHoldsBits: true,
  },
  DT_UINT32: { number: 22, elementBytes: 4, list: 'uint32_val', read: (buffer) => new Uint32Array(buffer) },
  DT_UINT64: {
    number: 23,
    elementBytes: 8,
    list: 'uint64_val',
    read: (buffer) => Float64Array.from(new BigUint64Array(buffer), Number),
  },
} as const satisfies Record<string, NumericType>;

/** The other types of DataType by their numbers. Their elements are not read, but error texts name them. */
const OTHER_TYPES: Readonly<Record<number, string>> = {
  0: 'DT_INVALID',
  7: 'DT_STRING',
  8: 'DT_COMPLEX64',
  11: 'DT_QINT8',
  12: 'DT_QUINT8',
  13: 'DT_QINT32',
  15: 'DT_QINT16',
  16: 'DT_QUINT16',
  18: 'DT_COMPLEX128',
  20: 'DT_RESOURCE',
  21: 'DT_VARIANT',
};

const NAMES: ReadonlyMap<number, DType> = new Map([
  ...Object.entries(NUMERIC_TYPES).map(([name, { number }]) => [number, name] as const),
  ...Object.entries(OTHER_TYPES).map(([number, name]) => [Number(number), name] as const),
]);

/** The name in the enum DataType; the number itself for a type without a name here. */
export function dtypeName(number: number): DType {
  return NAMES.get(number) ?? String(number);
}

/** Looks up a type by its name in DataType. Undefined when its elements are not numbers. */
export function numericType(dtype: string): NumericType | undefined {
  return Object.hasOwn(NUMERIC_TYPES, dtype) ? NUMERIC_TYPES[dtype as keyof typeof NUMERIC_TYPES] : undefined;
}

/** A bfloat16 is the upper half of the float32 of the same value. */
function readBfloat16(buffer: ArrayBuffer): Float32Array {
  return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
}
