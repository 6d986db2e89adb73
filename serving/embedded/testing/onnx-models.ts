/** Builds small ONNX models in code, so that the tests need neither model files nor Python. */

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';

export type ElementType =
  | 'FLOAT'
  | 'DOUBLE'
  | 'FLOAT16'
  | 'INT8'
  | 'INT16'
  | 'INT32'
  | 'INT64'
  | 'UINT8'
  | 'UINT16'
  | 'UINT32'
  | 'UINT64'
  | 'BOOL'
  | 'STRING'
  | 'BFLOAT16'
  | 'COMPLEX128';

/** An input or output. A string in `shape` names an axis of variable length. Without `shape` the rank is unknown. */
type Value = { readonly name: string; readonly type?: ElementType; readonly shape?: readonly (number | string)[] };
type Constant = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | readonly string[];
  /** A model.onnx that contains the same data: the constant is written as external data that points into it. */
  readonly inside?: Buffer;
};
type Graph = {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** [operator, inputs, output] */
  readonly nodes: readonly (readonly [string, readonly string[], string])[];
  /** Default: 17. */
  readonly opset?: number;
  readonly constants?: readonly Constant[];
};

/** Returns the bytes of a model.onnx. */
export function onnxModel({ inputs, outputs, nodes, constants = [], opset = 17 }: Graph): Buffer {
  const definition = loadSync(fileURLToPath(new URL('./onnx.proto', import.meta.url)), { keepCase: true });
  const { serialize } = definition['onnx.ModelProto'] as { serialize(model: object): Buffer };
  return serialize({
    ir_version: 9,
    opset_import: [{ domain: '', version: opset }],
    graph: {
      name: 'test',
      node: nodes.map(([operator, input, output]) => ({ op_type: operator, input, output: [output] })),
      input: inputs.map(valueInfo),
      output: outputs.map(valueInfo),
      initializer: constants.map(initializer),
    },
  });
}

function initializer({ name, shape, data, inside }: Constant): object {
  const strings = data instanceof Float32Array ? undefined : data;
  if (strings) return { name, dims: shape, data_type: 'STRING', string_data: strings.map((text) => Buffer.from(text)) };
  const tensor = { name, dims: shape, data_type: 'FLOAT' };
  const bytes = Buffer.from((data as Float32Array<ArrayBuffer>).buffer);
  if (inside === undefined) return { ...tensor, raw_data: bytes };
  const place = { location: 'model.onnx', offset: inside.indexOf(bytes), length: bytes.length };
  const entries = Object.entries(place).map(([key, value]) => ({ key, value: String(value) }));
  return { ...tensor, data_location: 'EXTERNAL', external_data: entries };
}

function valueInfo({ name, type = 'FLOAT', shape }: Value): object {
  const dim = shape?.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size }));
  return { name, type: { tensor_type: { elem_type: type, ...(dim && { shape: { dim } }) } } };
}

/** y[n] = x[n] + constant. Tests use the version number as the constant, so an output shows which version answered. */
export function addModel(constant: number): Buffer {
  return onnxModel({
    inputs: [{ name: 'x', shape: ['n'] }],
    outputs: [{ name: 'y', shape: ['n'] }],
    nodes: [['Add', ['x', 'c'], 'y']],
    constants: [{ name: 'c', shape: [], data: Float32Array.of(constant) }],
  });
}

/** y = x, of any type and shape. Without `shape` the rank is unknown. */
export function echoModel(type: ElementType, shape?: readonly (number | string)[]): Buffer {
  const value = { type, ...(shape && { shape }) };
  return onnxModel({
    inputs: [{ name: 'x', ...value }],
    outputs: [{ name: 'y', ...value }],
    nodes: [['Identity', ['x'], 'y']],
  });
}

/** Two inputs, two outputs: total = a + b, product = a * b. */
export function pairModel(): Buffer {
  return onnxModel({
    inputs: ['b', 'a'].map((name) => ({ name, shape: ['n'] })),
    outputs: ['total', 'product'].map((name) => ({ name, shape: ['n'] })),
    nodes: [
      ['Add', ['a', 'b'], 'total'],
      ['Mul', ['a', 'b'], 'product'],
    ],
  });
}

/** y[n,k] = the sum of all of x[n,k]: an output shows which requests shared the run. */
export function sumModel(): Buffer {
  return onnxModel({
    inputs: [{ name: 'x', shape: ['n', 'k'] }],
    outputs: [{ name: 'y', shape: ['n', 'k'] }],
    nodes: [
      ['ReduceSum', ['x'], 'sum'],
      ['Mul', ['x', 'zero'], 'zeros'],
      ['Add', ['zeros', 'sum'], 'y'],
    ],
    constants: [{ name: 'zero', shape: [], data: Float32Array.of(0) }],
  });
}

/**
 * logits[n,2] = image[n,299,299,3] x weights [268203,2]. `model` takes floats. `serving_uint8` takes pixels, scales
 * them to -1..1 and uses the weights stored in `model`.
 */
export function pixelModels(weights: Float32Array): { model: Buffer; serving_uint8: Buffer } {
  const image = { name: 'image', shape: ['n', 299, 299, 3] };
  const outputs = [{ name: 'logits', shape: ['n', 2] }];
  const scalar = (name: string, value: number) => ({ name, shape: [], data: Float32Array.of(value) });
  const matrix = { name: 'w', shape: [weights.length / 2, 2], data: weights };
  const model = onnxModel({
    inputs: [image],
    outputs,
    nodes: [
      ['Flatten', ['image'], 'row'],
      ['MatMul', ['row', 'w'], 'logits'],
    ],
    constants: [matrix],
  });
  const serving_uint8 = onnxModel({
    inputs: [{ ...image, type: 'UINT8' }],
    outputs,
    nodes: [
      ['DequantizeLinear', ['image', 'step'], 'scaled'],
      ['Sub', ['scaled', 'one'], 'floats'],
      ['Flatten', ['floats'], 'row'],
      ['MatMul', ['row', 'w'], 'logits'],
    ],
    constants: [scalar('step', 1 / 127.5), scalar('one', 1), { ...matrix, inside: model }],
  });
  return { model, serving_uint8 };
}

/** outputs[n,1] = x[n,1] / 2 + 2, for Regress. */
export function halfPlusTwoModel(): Buffer {
  const scalar = (name: string, value: number) => ({ name, shape: [], data: Float32Array.of(value) });
  return onnxModel({
    inputs: [{ name: 'x', shape: ['n', 1] }],
    outputs: [{ name: 'outputs', shape: ['n', 1] }],
    nodes: [
      ['Mul', ['x', 'half'], 'halves'],
      ['Add', ['halves', 'two'], 'outputs'],
    ],
    constants: [scalar('half', 0.5), scalar('two', 2)],
  });
}

/** scores[n,2] = softmax(x, -x) of x[n,1], classes[n,2] = positive, negative, for Classify. */
export function signModel(): Buffer {
  const shape = ['n', 2];
  return onnxModel({
    inputs: [{ name: 'x', shape: ['n', 1] }],
    outputs: [
      { name: 'scores', shape },
      { name: 'classes', type: 'STRING', shape },
    ],
    nodes: [
      ['Mul', ['x', 'signs'], 'logits'],
      ['Softmax', ['logits'], 'scores'],
      ['Shape', ['scores'], 'size'],
      ['Expand', ['names', 'size'], 'classes'],
    ],
    constants: [
      { name: 'signs', shape: [1, 2], data: Float32Array.of(1, -1) },
      { name: 'names', shape: [1, 2], data: ['positive', 'negative'] },
    ],
  });
}

/** Multiplies x[n,512] forty times by a 512 x 512 matrix of zeros: about 20 MFLOP per row. */
export function slowModel(): Buffer {
  const steps = Array.from({ length: 40 }, (_, i) => i);
  const name = (i: number) => (i === 0 ? 'x' : i === steps.length ? 'y' : `x${i}`);
  return onnxModel({
    inputs: [{ name: 'x', shape: ['n', 512] }],
    outputs: [{ name: 'y', shape: ['n', 512] }],
    nodes: steps.map((i) => ['MatMul', [name(i), 'w'], name(i + 1)]),
    constants: [{ name: 'w', shape: [512, 512], data: new Float32Array(512 * 512) }],
  });
}

/** Publishes BASE/VERSION atomically by renaming a folder. `signatures` are the ONNX files beside model.onnx. */
export function addVersion(
  base: string,
  version: number,
  model: Buffer,
  signatures: Record<string, Buffer> = {},
): void {
  const incoming = join(base, `incoming-${version}`);
  mkdirSync(incoming, { recursive: true });
  for (const [name, bytes] of Object.entries({ model, ...signatures }))
    writeFileSync(join(incoming, `${name}.onnx`), bytes);
  renameSync(incoming, join(base, String(version)));
}
