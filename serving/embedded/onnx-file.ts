/** Reads the inputs and outputs of an ONNX file. ONNX Runtime for Node reports neither a missing rank nor every type. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type Field, fieldsOf, type Source } from './protobuf-wire.ts';

/** The numbers of ONNX's messages (onnx.proto) that are read here. */
export const MODEL = { graph: 7 } as const;
export const GRAPH = { node: 1, input: 11, output: 12 } as const;
export const VALUE_INFO = { name: 1, type: 2 } as const;
export const TYPE = { tensor: 1 } as const;
export const TENSOR_TYPE = { elementType: 1, shape: 2 } as const;
const SHAPE = { dim: 1 } as const;
const DIM = { value: 1 } as const;

/** An input or output as the file declares it. */
export type Declared = {
  /** A number of ONNX's TensorProto.DataType. undefined for sequences, maps and optional values. */
  readonly code: number | undefined;
  /** -1 is an axis of any size. undefined if the rank is unknown too. */
  readonly shape: readonly number[] | undefined;
};
export type DeclaredValues = {
  readonly inputs: ReadonlyMap<string, Declared>;
  readonly outputs: ReadonlyMap<string, Declared>;
};

/** Reads a file without its weights and nodes. @throws Error `protobuf parsing failed` if it is not an ONNX model */
export function readDeclared(file: string): DeclaredValues {
  const handle = openSync(file, 'r');
  try {
    const read: Source = (at, length) => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(handle, bytes, 0, length, at));
    };
    return declaredIn(read, fstatSync(handle).size);
  } finally {
    closeSync(handle);
  }
}

function declaredIn(read: Source, size: number): DeclaredValues {
  const inputs = new Map<string, Declared>();
  const outputs = new Map<string, Declared>();
  for (const graph of fieldsOf(read, 0, size)) {
    if (graph.number !== MODEL.graph) continue;
    for (const field of fieldsOf(read, graph.body, graph.end)) {
      const target = { [GRAPH.input]: inputs, [GRAPH.output]: outputs }[field.number];
      target?.set(nameOf(read, field), declaredBy(read, field));
    }
  }
  return { inputs, outputs };
}

/** The name in a ValueInfoProto. */
export function nameOf(read: Source, value: Field): string {
  const name = member(read, value, VALUE_INFO.name);
  return name ? read(name.body, name.end - name.body).toString() : '';
}

function declaredBy(read: Source, value: Field): Declared {
  const type = member(read, value, VALUE_INFO.type);
  const tensor = type && member(read, type, TYPE.tensor);
  if (tensor === undefined) return { code: undefined, shape: undefined };
  const shape = member(read, tensor, TENSOR_TYPE.shape);
  return {
    code: member(read, tensor, TENSOR_TYPE.elementType)?.varint,
    shape: shape && [...fieldsOf(read, shape.body, shape.end)].filter(isDim).map((dim) => sizeOf(read, dim)),
  };
}

function isDim({ number }: Field): boolean {
  return number === SHAPE.dim;
}

function sizeOf(read: Source, dim: Field): number {
  const size = member(read, dim, DIM.value)?.varint ?? -1;
  return Number.isSafeInteger(size) ? size : -1;
}

/** The last field with this number, which is the one that counts in protobuf. */
export function member(read: Source, message: Field, number: number): Field | undefined {
  return [...fieldsOf(read, message.body, message.end)].findLast((field) => field.number === number);
}
