/** The JSON of …/infer: inputs with their elements as `data`, or with the size of their binary data behind the JSON. */
import { elementCount } from '../../domain/shape.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import { EXPLAIN_NAMES, refuseUnknown } from '../../explain/options.ts';
import type { JsonFormat } from '../../http/json/format.ts';
import {
  type InferInput,
  type InferOutput,
  MAX_AXES,
  type Parameters,
  placeOf,
  tooManyAxes,
  wrongTensor,
} from '../../open-inference/message.ts';
import { dtypeOf } from '../../tensor/datatype.ts';
import { parseExactJson, plainNumber } from '../../tensor/exact-json.ts';
import { shapeOf, tensorFromJson } from '../../tensor/from-json.ts';
import { shown } from '../../tensor/mistake.ts';
import { packedMemory, packTensor } from '../../tensor/packed.ts';
import { isRecord, type JsonRecord, memberOf } from '../../tensor/record-id.ts';

export type JsonInput = Omit<InferInput, 'contents'> & {
  /** Of the datatype and shape of the input. Undefined: it has no `data`. */
  readonly data: Tensor | undefined;
};

export type JsonBody = {
  readonly id: string | undefined;
  readonly parameters: Parameters;
  readonly inputs: readonly JsonInput[];
  readonly outputs: readonly InferOutput[];
};

/** Lists inside of each other: more than any tensor has axes. */
const MAX_DEPTH = 64;
/** Inputs and outputs of one request: no signature has more. */
const MAX_TENSORS = 5000;
/** Of names, ids and texts, which are copied between threads. */
const MAX_TEXT = 1000;
/** The parameters that mean something here. Clients send others too, which are ignored. */
const KNOWN = [
  'signature_name',
  'binary_data_output',
  'outlier',
  'binary_data_size',
  'binary_data',
  'shared_memory_region',
  'classification',
  'sequence_id',
  ...EXPLAIN_NAMES,
];

export const format: JsonFormat<undefined, JsonBody> = {
  module: import.meta.url,
  example: '{"inputs": [{"name": "x", "datatype": "FP32", "shape": [2], "data": [1.5, 2.5]}]}',
  limits: () => ({ maxDepth: MAX_DEPTH }),
  parse: (text) => (NEEDS_EXACT.test(text) ? parseExactJson(text) : JSON.parse(text)),
  read: readBody,
  memory: ({ inputs }) => packedMemory(inputs.flatMap(({ data }) => data ?? [])),
};

/**
 * Text with integer tensors, which are never rounded and where 1.0 is no integer. Other text is read two to five times faster. A name
 * may be written with escapes.
 */
const NEEDS_EXACT = /"datatype"\s*:\s*"U?INT|\\u/;

function readBody(parsed: unknown): JsonBody {
  const body = checkedRecord(parsed, 'body');
  return {
    id: body.id === undefined || body.id === null ? undefined : textOf(body.id, 'id'),
    parameters: readParameters(body.parameters, 'parameters'),
    inputs: listOf(body.inputs, 'inputs').map(readInput),
    outputs: listOf(body.outputs ?? [], 'outputs').map((output, index): InferOutput => {
      const place = `outputs[${index}]`;
      const { name, parameters } = checkedRecord(output, place);
      return { name: textOf(name, `${place}.name`), parameters: readParameters(parameters, `${place}.parameters`) };
    }),
  };
}

function readInput(given: unknown, index: number): JsonInput {
  const input = checkedRecord(given, `inputs[${index}]`);
  const name = textOf(input.name, `inputs[${index}].name`);
  const place = placeOf(name, index);
  const datatype = textOf(input.datatype, `${place}.datatype`);
  const shape = readShape(input.shape, place);
  const parameters = readParameters(input.parameters, `${place}.parameters`);
  const { data } = input;
  const hasData = data !== undefined && data !== null;
  return { name, datatype, shape, parameters, data: hasData ? readData(data, { datatype, shape, place }) : undefined };
}

type Described = { readonly datatype: string; readonly shape: readonly number[]; readonly place: string };

/** The elements in one list, or in lists as the shape has them. */
function readData(data: unknown, { datatype, shape, place }: Described): Tensor {
  const dtype = dtypeOf(datatype);
  if (dtype === undefined) {
    throw wrongTensor(place, `datatype: ${datatype.slice(0, 20)} is none of the Open Inference Protocol`);
  }
  if (dtype === 'DT_BFLOAT16') throw wrongTensor(place, 'BF16 is sent as binary data only');
  const count = elementCount(shape);
  const listed = shapeOf(data);
  const isFlat = listed.length === 1 && listed[0] === count;
  if (!isFlat && String(listed) !== String(shape)) {
    const expected = `expected ${count} values for the shape [${shape}], in one list or in lists of this shape`;
    throw wrongTensor(`${place}.data`, `${expected}; got the shape [${listed}]`);
  }
  const placeOfData = (indexes: readonly number[]) => `${place}.data${indexes.map((at) => `[${at}]`).join('')}`;
  return packTensor({ ...tensorFromJson(data, { dtype }, placeOfData), shape });
}

function readShape(shape: unknown, place: string): readonly number[] {
  const sizes = Array.isArray(shape) ? shape.map(plainNumber) : undefined;
  if (!sizes?.every((size): size is number => Number.isSafeInteger(size))) {
    throw wrongTensor(place, 'shape: needs a list of whole numbers');
  }
  if (sizes.length > MAX_AXES) throw tooManyAxes();
  return sizes;
}

/** The known parameters. Null counts as absent. */
function readParameters(given: unknown, place: string): Parameters {
  if (given === undefined || given === null) return new Map();
  const record = checkedRecord(given, place);
  refuseUnknown(Object.keys(record), `${place}.`);
  const parameters = new Map<string, boolean | number | string>();
  for (const name of KNOWN) {
    const value = plainNumber(memberOf(record, name));
    if (value === undefined || value === null) continue;
    const isText = typeof value !== 'boolean' && typeof value !== 'number';
    parameters.set(name, isText ? textOf(value, `${place}.${name}`) : value);
  }
  return parameters;
}

function checkedRecord(value: unknown, place: string): JsonRecord {
  if (isRecord(value)) return value;
  throw new GatewayError('invalid_request', `${place}: needs an object, got ${shown(value)}`);
}

function listOf(value: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new GatewayError('invalid_request', `${place}: needs a list, got ${shown(value)}`);
  if (value.length <= MAX_TENSORS) return value;
  throw new GatewayError('invalid_request', `${place}: at most ${MAX_TENSORS} in one request`);
}

function textOf(value: unknown, place: string): string {
  if (typeof value !== 'string') {
    throw new GatewayError('invalid_request', `${place}: needs a string, got ${shown(value)}`);
  }
  if (value.length <= MAX_TEXT) return value;
  throw new GatewayError('invalid_request', `${place}: at most ${MAX_TEXT} characters`);
}
