/** The element types of tensors: those that models can have, and the complex ones, which requests can only name. */

import type { TensorProto } from './protocol.ts';

export type NumberArray =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>;

type NumberArrayConstructor = {
  readonly BYTES_PER_ELEMENT: number;
  new (count: number): NumberArray;
  new (buffer: ArrayBuffer, byteOffset?: number, count?: number): NumberArray;
};

/** The `*_val` fields of TensorProto. */
export type ValueField = Extract<keyof TensorProto, `${string}_val`>;

type DTypeRow = {
  /** The number in ONNX files (TensorProto.DataType). */
  readonly code: number;
  /** ONNX Runtime's name of the type that the session takes. */
  readonly onnx: string;
  /** The name in TensorFlow's error texts. */
  readonly name: string;
  readonly field: ValueField;
  /** half and bfloat16 are held as their 16 bits. undefined for strings. */
  readonly array: NumberArrayConstructor | undefined;
};

export const DTYPES = {
  DT_FLOAT: { code: 1, onnx: 'float32', name: 'float', field: 'float_val', array: Float32Array },
  DT_DOUBLE: { code: 11, onnx: 'float64', name: 'double', field: 'double_val', array: Float64Array },
  DT_HALF: { code: 10, onnx: 'float16', name: 'half', field: 'half_val', array: Uint16Array },
  // ONNX Runtime for Node has no bfloat16: bfloat16.ts.
  DT_BFLOAT16: { code: 16, onnx: 'float32', name: 'bfloat16', field: 'half_val', array: Uint16Array },
  DT_INT8: { code: 3, onnx: 'int8', name: 'int8', field: 'int_val', array: Int8Array },
  DT_INT16: { code: 5, onnx: 'int16', name: 'int16', field: 'int_val', array: Int16Array },
  DT_INT32: { code: 6, onnx: 'int32', name: 'int32', field: 'int_val', array: Int32Array },
  DT_INT64: { code: 7, onnx: 'int64', name: 'int64', field: 'int64_val', array: BigInt64Array },
  DT_UINT8: { code: 2, onnx: 'uint8', name: 'uint8', field: 'int_val', array: Uint8Array },
  DT_UINT16: { code: 4, onnx: 'uint16', name: 'uint16', field: 'int_val', array: Uint16Array },
  DT_UINT32: { code: 12, onnx: 'uint32', name: 'uint32', field: 'uint32_val', array: Uint32Array },
  DT_UINT64: { code: 13, onnx: 'uint64', name: 'uint64', field: 'uint64_val', array: BigUint64Array },
  DT_BOOL: { code: 9, onnx: 'bool', name: 'bool', field: 'bool_val', array: Uint8Array },
  DT_STRING: { code: 8, onnx: 'string', name: 'string', field: 'string_val', array: undefined },
} as const satisfies Record<string, DTypeRow>;

export type DType = keyof typeof DTYPES;

/** Whether a dtype is one that models can have. */
export function isDType(name: unknown): name is DType {
  return typeof name === 'string' && Object.hasOwn(DTYPES, name);
}

/** The type with this number in an ONNX file, or undefined if it is not in the table. */
export function dtypeOfCode(code: number): DType | undefined {
  return (Object.keys(DTYPES) as DType[]).find((dtype) => DTYPES[dtype].code === code);
}

/** The names of ONNX's other types, by number. */
export const UNSERVED: Readonly<Record<number, string>> = {
  14: 'complex64',
  15: 'complex128',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
};

/** TensorFlow's other types that a request can contain. No model has such an input, so only the error names them. */
export const COMPLEX = {
  DT_COMPLEX64: { name: 'complex64', bytes: 8 },
  DT_COMPLEX128: { name: 'complex128', bytes: 16 },
} as const;
export type ComplexType = keyof typeof COMPLEX;

export function isComplex(name: unknown): name is ComplexType {
  return typeof name === 'string' && Object.hasOwn(COMPLEX, name);
}
