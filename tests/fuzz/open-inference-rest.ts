/**
 * Fuzzes the Open Inference Protocol over REST: its paths, its JSON, and the binary data behind it. The first line feed of an
 * input stands for the end of the JSON. Reference: JSON.parse.
 */
import assert from 'node:assert/strict';
import { numbersOf } from '../../gateway/domain/elements.ts';
import { stringBytes, stringCount } from '../../gateway/domain/strings.ts';
import type { Kind } from '../../gateway/errors.ts';
import { decodeJson, readJson } from '../../gateway/http/json/format.ts';
import { JsonScanner } from '../../gateway/http/json/scanner.ts';
import { readInputs, refuseUnoffered } from '../../gateway/open-inference/inputs.ts';
import type { InferInput } from '../../gateway/open-inference/message.ts';
import { withContents } from '../../gateway/protocol/open-inference-rest/contents.ts';
import { format, type JsonBody } from '../../gateway/protocol/open-inference-rest/json-body.ts';
import { PATHS, readPath } from '../../gateway/protocol/open-inference-rest/path.ts';
import { checkTensor, DATATYPES, routed } from './every-datatype.ts';
import type { Parser } from './fuzz.ts';
import { checkRefusal, refusalOf } from './refusal.ts';

const KINDS: readonly Kind[] = ['invalid_json', 'invalid_request', 'invalid_tensor', 'body_too_large'];
const LINE_FEED = 0x0a;

export const openInferenceRest: Parser = {
  name: 'open-inference-rest',
  words: [
    ...DATATYPES.map((name) => `"datatype":"${name}"`),
    ...DATATYPES.map((name) => `"signature_name":"${name}"`),
    ...['"inputs":[', '"outputs":[{"name":"FP32"}]', '"shape":[2]', '"shape":[]', '"shape":[2147483648,2147483648]'],
    ...['"data":[1,2]', '"data":[[1],[2]]', '"data":["a",{"b64":"AAAA"}]', '"NaN"', '-1', '1.0', '1e999', 'true'],
    ...['"binary_data_size":8', '"binary_data":true', '"binary_data_output":true', '"shared_memory_region":"a"'],
    ...['9007199254740993', '\\u0049NT64', '\n', '\n\x02\0\0\0ab', '__proto__', '/versions/1', '/infer', '%ff'],
  ],
  async check(input) {
    const bytes = Buffer.from(input);
    checkPath(bytes.toString());
    const end = bytes.indexOf(LINE_FEED);
    const json = end < 0 ? bytes : bytes.subarray(0, end);
    const binary = end < 0 ? undefined : bytes.subarray(end + 1);
    const body = refusalOf(() => readAs(json), KINDS);
    if (!body) return;
    checkJson(body, JSON.parse(json.toString()));
    const inputs = refusalOf(() => withContents(body.inputs, binary), KINDS);
    if (!inputs) return;
    const read = await readAll(body, inputs).catch((thrown: unknown) => checkRefusal(thrown, KINDS));
    if (read?.kind === 'tensors') {
      for (const [name, tensor] of read.inputs) checkTensor(name, tensor);
      if (read.inputs.size === inputs.length) checkBinary(body, [...read.inputs.values()], binary);
    }
    assert.deepEqual(Object.keys(Object.prototype), []);
  },
};

function checkPath(text: string): void {
  const path = `/v2/models/${text}`;
  if (!Object.values(PATHS).some((pattern) => pattern.test(path))) return;
  const asked = refusalOf(() => readPath(path), ['invalid_request']);
  assert.ok(asked === undefined || asked.version === undefined || Number.isSafeInteger(asked.version));
}

/** Reads the JSON as the gateway does: its structure is counted first. */
function readAs(bytes: Buffer): JsonBody {
  new JsonScanner({ ...format.limits(undefined), maxHeapBytes: 64e6 }).feed(bytes);
  return readJson(decodeJson(bytes, format.example), format, undefined);
}

async function readAll(body: JsonBody, inputs: readonly InferInput[]) {
  refuseUnoffered(body);
  return readInputs({ ...body, inputs }, routed);
}

type Body = { readonly inputs: readonly { readonly data?: unknown; readonly shape: unknown }[] };

/** The elements are those of the JSON, in order. */
function checkJson({ inputs }: JsonBody, reference: Body): void {
  assert.equal(inputs.length, reference.inputs.length);
  for (const [index, { name, data, shape }] of inputs.entries()) {
    const given = reference.inputs[index];
    assert.deepEqual(shape, given?.shape);
    if (!data) continue;
    checkTensor(name, data);
    const leaves = [given?.data].flat(Number.POSITIVE_INFINITY);
    if (data.dtype === 'DT_DOUBLE') assert.deepEqual(Array.from(numbersOf(data)), leaves.map(Number));
    if ('offsets' in data) assert.equal(stringCount(data), leaves.length);
  }
}

/** The binary data of the inputs is all that is behind the JSON. */
function checkBinary(
  { inputs }: JsonBody,
  tensors: readonly Parameters<typeof checkTensor>[1][],
  binary?: Buffer,
): void {
  let bytes = 0;
  for (const [index, tensor] of tensors.entries()) {
    if (inputs[index]?.data) continue;
    bytes += 'offsets' in tensor ? stringBytes(tensor) + 4 * stringCount(tensor) : tensor.bytes.length;
  }
  assert.equal(bytes, binary?.length ?? 0);
}
