/**
 * Fuzzes TF-Serving's REST API: its paths, the bodies of …:predict and of …:classify. References: JSON.parse for the values of
 * tensors, protobuf.js for tf.Examples.
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { ELEMENTS, isNumeric, numbersOf } from '../../gateway/domain/elements.ts';
import { stringCount, stringsOf } from '../../gateway/domain/strings.ts';
import type { Signature, Tensor } from '../../gateway/domain/tensor.ts';
import type { Kind } from '../../gateway/errors.ts';
import { decodeJson, type JsonFormat, readJson } from '../../gateway/http/json/format.ts';
import { JsonScanner } from '../../gateway/http/json/scanner.ts';
import { type ExamplesBody, format as examplesFormat } from '../../gateway/protocol/tf-serving-rest/examples-body.ts';
import { PATHS, readPath } from '../../gateway/protocol/tf-serving-rest/path.ts';
import { type PredictBody, format as predictFormat } from '../../gateway/protocol/tf-serving-rest/predict-body.ts';
import { unpackNames } from '../../gateway/tensor/row-names.ts';
import type { Parser } from './fuzz.ts';
import { refusalOf } from './refusal.ts';

const MAX_INSTANCES = 8;
const KINDS: readonly Kind[] = ['invalid_json', 'invalid_request', 'invalid_url', 'body_too_large'];

const one = (dtype: string): Signature => ({ inputs: [{ name: 'x', dtype, shape: null }], outputs: [] });
const SIGNATURES: ReadonlyMap<string, Signature> = new Map([
  ['serving_default', one('DT_DOUBLE')],
  ['int', one('DT_INT64')],
  ['string', one('DT_STRING')],
  ['image', { inputs: [{ name: 'x', dtype: 'DT_FLOAT', shape: [-1, 1, 1, 3] }], outputs: [] }],
  [
    'two',
    {
      inputs: [
        { name: 'x', dtype: 'DT_BOOL', shape: [-1] },
        { name: 'y', dtype: 'DT_UINT8', shape: [-1, -1] },
      ],
      outputs: [],
    },
  ],
]);

const includeDirs = [fileURLToPath(new URL('../../protos', import.meta.url))];
const definitions = loadSync('tensorflow/core/example/example.proto', { includeDirs, keepCase: true });
const { deserialize } = definitions['tensorflow.Example'] as MessageTypeDefinition<object, object>;

export const tfServingRest: Parser = {
  name: 'tf-serving-rest',
  words: [
    ...[
      '"signature_name": "int"',
      '"signature_name": "string"',
      '"signature_name": "two"',
      '"signature_name": "image"',
    ],
    ...[
      '"instances": [',
      '"inputs": {',
      '"inputs": [',
      '"examples": [{',
      '"context": {',
      '"x": ',
      '"y": [1, 2]',
      '"id": 7, ',
    ],
    ...['{"b64": "AAAA"}', '{"url": "http://a/"}', '[[[1, 2, 3]]]', '__proto__', 'null', 'true', '1.0', '1e999'],
    ...[
      '9223372036854775807',
      '9007199254740993',
      '"NaN"',
      '"-Infinity"',
      '\\ud800',
      '[[]]',
      '/v1/models/m',
      ':predict',
    ],
  ],
  check(input) {
    const bytes = Buffer.from(input);
    checkPath(bytes.toString());
    const options = { signatures: SIGNATURES, pictures: 'image', maxInstances: MAX_INSTANCES };
    const body = refusalOf(() => readAs(bytes, predictFormat, options), KINDS);
    if (body) checkPredict(body, bytes);
    const examples = refusalOf(() => readAs(bytes, examplesFormat, undefined), KINDS);
    if (examples) checkExamples(examples);
    assert.deepEqual(Object.keys(Object.prototype), []);
  },
};

/** Reads a body as the gateway does: its structure is counted first. */
function readAs<Options, Result>(bytes: Buffer, format: JsonFormat<Options, Result>, options: Options): Result {
  new JsonScanner({ ...format.limits(options), maxHeapBytes: 64e6 }).feed(bytes);
  return readJson(decodeJson(bytes, format.example), format, options);
}

function checkPath(text: string): void {
  const path = `/v1/models/${text}`;
  if (!Object.values(PATHS).some((pattern) => pattern.test(path))) return;
  const asked = refusalOf(() => readPath('GET', path), ['invalid_request']);
  if (asked) assert.ok(asked.version === undefined || asked.label === undefined);
}

function checkRefused({ status, text }: { readonly status: number; readonly text: string }): void {
  assert.ok(status === 400 || status === 501, `${status}`);
  assert.ok(text.length > 0 && text.length < 100_000);
}

function checkPredict(body: PredictBody, bytes: Buffer): void {
  if ('refused' in body) {
    checkRefused(body.refused);
    return;
  }
  assert.notEqual(body.kind, 'document');
  if (body.kind !== 'document' && body.names) checkIds(unpackNames(body.names), JSON.parse(bytes.toString()).instances);
  const { instances, inputs } = JSON.parse(bytes.toString()) as { instances?: readonly unknown[]; inputs?: unknown };
  if (body.kind === 'pictures') {
    assert.equal(body.instances.length, instances?.length);
    assert.ok(body.instances.length <= MAX_INSTANCES);
    for (const row of body.instances) if (row.kind === 'row') assert.equal(row.bytes.length, 12);
    return;
  }
  if (body.kind !== 'tensors') return;
  assert.equal(body.form, instances === undefined ? 'columns' : 'rows');
  if (instances) assert.equal(body.rows, instances.length);
  for (const [name, tensor] of body.inputs) {
    checkSize(tensor);
    if (tensor.dtype === 'DT_DOUBLE') checkNumbers(tensor, name, instances ?? inputs);
  }
}

/** The ids are those of the JSON, or none. */
function checkIds(nameOf: ReturnType<typeof unpackNames>, rows: readonly { readonly id?: unknown }[]): void {
  for (const [index, row] of rows.entries()) {
    const { id } = JSON.parse(`{${nameOf(index).ids}}`) as { id?: unknown };
    assert.deepEqual(id, row?.id ?? undefined);
  }
}

function checkSize(tensor: Tensor): void {
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  if ('offsets' in tensor) assert.equal(stringCount(tensor), count);
  else {
    assert.ok(isNumeric(tensor.dtype));
    assert.equal(tensor.bytes.length, count * ELEMENTS[tensor.dtype].BYTES_PER_ELEMENT);
  }
}

/** The numbers of a tensor are those of the JSON, in order. */
function checkNumbers(tensor: Tensor, name: string, value: unknown): void {
  const numbers: number[] = [];
  const collect = (item: unknown): void => {
    if (Array.isArray(item)) for (const child of item) collect(child);
    else if (typeof item === 'object' && item !== null) collect((item as Record<string, unknown>)[name]);
    else numbers.push(Number(item));
  };
  collect(value);
  assert.deepEqual(Array.from(numbersOf(tensor)), numbers);
}

function checkExamples(body: ExamplesBody): void {
  if ('refused' in body) {
    checkRefused(body.refused);
    return;
  }
  checkSize(body.examples);
  for (const example of stringsOf(body.examples)) deserialize(Buffer.from(example));
}
