/** The element types that both TensorFlow's protocol and ONNX Runtime support. */

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
  /** ONNX Runtime's name. */
  readonly onnx: string;
  /** The name in TensorFlow's error texts. */
  readonly name: string;
  readonly field: ValueField;
  /** float16 is held as its 16 bits. undefined for strings. */
  readonly array: NumberArrayConstructor | undefined;
};

export const DTYPES = {
  DT_FLOAT: { onnx: 'float32', name: 'float', field: 'float_val', array: Float32Array },
  DT_DOUBLE: { onnx: 'float64', name: 'double', field: 'double_val', array: Float64Array },
  DT_HALF: { onnx: 'float16', name: 'half', field: 'half_val', array: Uint16Array },
  DT_INT8: { onnx: 'int8', name: 'int8', field: 'int_val', array: Int8Array },
  DT_INT16: { onnx: 'int16', name: 'int16', field: 'int_val', array: Int16Array },
  DT_INT32: { onnx: 'int32', name: 'int32', field: 'int_val', array: Int32Array },
  DT_INT64: { onnx: 'int64', name: 'int64', field: 'int64_val', array: BigInt64Array },
  DT_UINT8: { onnx: 'uint8', name: 'uint8', field: 'int_val', array: Uint8Array },
  DT_UINT16: { onnx: 'uint16', name: 'uint16', field: 'int_val', array: Uint16Array },
  DT_UINT32: { onnx: 'uint32', name: 'uint32', field: 'uint32_val', array: Uint32Array },
  DT_UINT64: { onnx: 'uint64', name: 'uint64', field: 'uint64_val', array: BigUint64Array },
  DT_BOOL: { onnx: 'bool', name: 'bool', field: 'bool_val', array: Uint8Array },
  DT_STRING: { onnx: 'string', name: 'string', field: 'string_val', array: undefined },
} as const satisfies Record<string, DTypeRow>;

export type DType = keyof typeof DTYPES;

/** Whether a dtype in a request is one of the types above. */
export function isDType(name: unknown): name is DType {
  return typeof name === 'string' && Object.hasOwn(DTYPES, name);
}

/** The TensorFlow type of an ONNX Runtime type, or undefined if it is not in the table. */
export function dtypeOfOnnx(onnx: string): DType | undefined {
  return (Object.keys(DTYPES) as DType[]).find((dtype) => DTYPES[dtype].onnx === onnx);
}
