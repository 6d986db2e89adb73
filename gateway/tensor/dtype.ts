/** TensorFlow's element types in its protocol: their numbers, and the lists that hold their values. */
import type { NumericDType } from '../domain/elements.ts';
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
  readonly list: ListField;
  /** The list holds bit patterns, not values: the low bytes of each entry are one element. */
  readonly listHoldsBits?: true;
};

/** The types whose elements are numbers. Their arrays: ELEMENTS. */
export const NUMERIC_TYPES = {
  DT_FLOAT: { number: 1, list: 'float_val' },
  DT_DOUBLE: { number: 2, list: 'double_val' },
  DT_INT32: { number: 3, list: 'int_val' },
  DT_UINT8: { number: 4, list: 'int_val' },
  DT_INT16: { number: 5, list: 'int_val' },
  DT_INT8: { number: 6, list: 'int_val' },
  DT_INT64: { number: 9, list: 'int64_val' },
  DT_BOOL: { number: 10, list: 'bool_val' },
  DT_BFLOAT16: { number: 14, list: 'half_val', listHoldsBits: true },
  DT_UINT16: { number: 17, list: 'int_val' },
  DT_HALF: { number: 19, list: 'half_val', listHoldsBits: true },
  DT_UINT32: { number: 22, list: 'uint32_val' },
  DT_UINT64: { number: 23, list: 'uint64_val' },
} as const satisfies Record<NumericDType, NumericType>;

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
