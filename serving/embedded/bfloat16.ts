/**
 * bfloat16 inputs and outputs. ONNX Runtime for Node has no bfloat16 tensors, so a graph that has some is changed when it
 * is loaded: each becomes a float32 one, with a Cast between it and the graph. Both directions are exact, because every
 * bfloat16 number is a float32 number whose lower 16 bits are 0.
 */

import { DTYPES } from './dtype.ts';
import { type DeclaredValues, GRAPH, MODEL, member, nameOf, TENSOR_TYPE, TYPE, VALUE_INFO } from './onnx-file.ts';
import { bytesField, type Field, fieldsOf, inMemory, varintField } from './protobuf-wire.ts';

/** The numbers of ONNX's messages (onnx.proto) that are written here. */
const NODE = { input: 1, output: 2, operator: 4, attribute: 5 } as const;
const ATTRIBUTE = { name: 1, integer: 3, type: 20 } as const;
const ATTRIBUTE_TYPE_INT = 2;

const BFLOAT16 = DTYPES.DT_BFLOAT16.code;
const FLOAT = DTYPES.DT_FLOAT.code;

export function hasBfloat16({ inputs, outputs }: DeclaredValues): boolean {
  return [...inputs.values(), ...outputs.values()].some(({ code }) => code === BFLOAT16);
}

/** The name of the float32 input or output that stands for a bfloat16 one. */
export function widenedName(name: string): string {
  return `${name}@float32`;
}

/** The bytes of a model whose bfloat16 inputs and outputs are float32 ones under their `widenedName`. */
export function widenModel(model: Buffer, { inputs, outputs }: DeclaredValues): Buffer {
  const read = inMemory(model);
  const parts = [...fieldsOf(read, 0, model.length)].map((field) => {
    if (field.number !== MODEL.graph) return model.subarray(field.start, field.end);
    const casts = (values: DeclaredValues['inputs'], cast: (name: string) => Buffer) =>
      [...values].filter(([, { code }]) => code === BFLOAT16).map(([name]) => cast(name));
    // In the order of the data, as ONNX asks for it.
    return bytesField(
      MODEL.graph,
      ...casts(inputs, (name) => castNode(widenedName(name), name, BFLOAT16)),
      ...[...fieldsOf(read, field.body, field.end)].map((inner) => widened(model, inner, { inputs, outputs })),
      ...casts(outputs, (name) => castNode(name, widenedName(name), FLOAT)),
    );
  });
  return Buffer.concat(parts);
}

function castNode(input: string, output: string, to: number): Buffer {
  return bytesField(
    GRAPH.node,
    bytesField(NODE.input, input),
    bytesField(NODE.output, output),
    bytesField(NODE.operator, 'Cast'),
    bytesField(
      NODE.attribute,
      bytesField(ATTRIBUTE.name, 'to'),
      varintField(ATTRIBUTE.integer, to),
      varintField(ATTRIBUTE.type, ATTRIBUTE_TYPE_INT),
    ),
  );
}

/** A field of the graph as it is, or the float32 declaration of a bfloat16 input or output. */
function widened(model: Buffer, field: Field, { inputs, outputs }: DeclaredValues): Buffer {
  const same = model.subarray(field.start, field.end);
  const values = { [GRAPH.input]: inputs, [GRAPH.output]: outputs }[field.number];
  if (values === undefined) return same;
  const read = inMemory(model);
  const name = nameOf(read, field);
  const type = member(read, field, VALUE_INFO.type);
  const tensor = type && member(read, type, TYPE.tensor);
  if (tensor === undefined || values.get(name)?.code !== BFLOAT16) return same;
  const shape = member(read, tensor, TENSOR_TYPE.shape);
  const float = [
    varintField(TENSOR_TYPE.elementType, FLOAT),
    ...(shape ? [model.subarray(shape.start, shape.end)] : []),
  ];
  return bytesField(
    field.number,
    bytesField(VALUE_INFO.name, widenedName(name)),
    bytesField(VALUE_INFO.type, bytesField(TYPE.tensor, ...float)),
  );
}

/** float32 numbers of the same value. */
export function toFloat32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return new Float32Array(Uint32Array.from(bits, (half) => half * 2 ** 16).buffer);
}

/** The bits of float32 numbers that were bfloat16 numbers. */
export function toBfloat16(numbers: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  return Uint16Array.from(bits, (word) => word >>> 16);
}
