/** The element types of the Open Inference Protocol, and the lists that hold their values in its gRPC messages. */
import type { NumericDType } from '../domain/elements.ts';
import type { DType } from '../domain/tensor.ts';
import { FIXED32, FIXED64, type FieldReader, VARINT } from './field-reader.ts';

/** A list of InferTensorContents: its name, its field number, the wire type of one value, and how that is read. */
export type ContentsList = {
  readonly name: string;
  readonly field: number;
  readonly wireType: number;
  readonly read: (at: FieldReader) => number | bigint;
};

const BOOL: ContentsList = {
  name: 'bool_contents',
  field: 1,
  wireType: VARINT,
  read: (at) => Number(at.bigint !== 0n),
};
const INT: ContentsList = { name: 'int_contents', field: 2, wireType: VARINT, read: (at) => at.int32 };
const INT64: ContentsList = { name: 'int64_contents', field: 3, wireType: VARINT, read: (at) => at.bigint };
const UINT: ContentsList = { name: 'uint_contents', field: 4, wireType: VARINT, read: (at) => at.int32 >>> 0 };
const UINT64: ContentsList = { name: 'uint64_contents', field: 5, wireType: VARINT, read: (at) => at.bigint };
const FP32: ContentsList = { name: 'fp32_contents', field: 6, wireType: FIXED32, read: (at) => at.float };
const FP64: ContentsList = { name: 'fp64_contents', field: 7, wireType: FIXED64, read: (at) => at.double };

type Datatype = {
  readonly dtype: NumericDType;
  /** Absent for types that are sent as raw contents only. */
  readonly list?: ContentsList;
};

/** The types whose elements are numbers. */
const NUMERIC: Readonly<Record<string, Datatype>> = {
  BOOL: { dtype: 'DT_BOOL', list: BOOL },
  UINT8: { dtype: 'DT_UINT8', list: UINT },
  UINT16: { dtype: 'DT_UINT16', list: UINT },
  UINT32: { dtype: 'DT_UINT32', list: UINT },
  UINT64: { dtype: 'DT_UINT64', list: UINT64 },
  INT8: { dtype: 'DT_INT8', list: INT },
  INT16: { dtype: 'DT_INT16', list: INT },
  INT32: { dtype: 'DT_INT32', list: INT },
  INT64: { dtype: 'DT_INT64', list: INT64 },
  FP16: { dtype: 'DT_HALF' },
  FP32: { dtype: 'DT_FLOAT', list: FP32 },
  FP64: { dtype: 'DT_DOUBLE', list: FP64 },
  BF16: { dtype: 'DT_BFLOAT16' },
};

/** Strings and encoded pictures. */
export const BYTES = 'BYTES';
export const BYTES_CONTENTS = 8;

const NAMES: ReadonlyMap<DType, string> = new Map([
  ...Object.entries(NUMERIC).map(([name, { dtype }]) => [dtype, name] as const),
  ['DT_STRING', BYTES] as const,
]);

/** All datatypes of the protocol. */
export const DATATYPES: readonly string[] = [...Object.keys(NUMERIC), BYTES];

/** The datatype of a dtype. Undefined for types that the protocol does not have. */
export function datatypeOf(dtype: DType): string | undefined {
  return NAMES.get(dtype);
}

/** The dtype of a datatype. Undefined for names that the protocol does not have. */
export function dtypeOf(datatype: string): NumericDType | 'DT_STRING' | undefined {
  if (datatype === BYTES) return 'DT_STRING';
  return Object.hasOwn(NUMERIC, datatype) ? NUMERIC[datatype]?.dtype : undefined;
}

/** The list that holds the numbers of a dtype. Undefined for half, bfloat16 and strings. */
export function contentsListOf(dtype: DType): ContentsList | undefined {
  return NUMERIC[datatypeOf(dtype) ?? '']?.list;
}
