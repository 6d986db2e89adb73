/** The Open Inference Protocol over REST, in front of a model server that gives its inputs back. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { ALL, echo, signature, TYPES, type Type } from './datatypes.ts';
import { type RunningGateway, startGateway, startGatewayFor } from './gateway.ts';
import { floatTensor, type ModelServer, type PredictCall, startModelServer, XCEPTION } from './model-server.ts';
import { CARD, modelsFolder } from './models.ts';

const KEY = 'tg_rest-key-of-the-test';
const jpeg = await readFile(new URL('golden/images/jpg-420.jpg', import.meta.url));
const JSON_TYPES = ALL.filter((type) => TYPES[type].json);
const LENGTH = 'Inference-Header-Content-Length';
const TABLE = {
  inputs: { x: { dtype: 'DT_FLOAT', shape: [-1] } },
  outputs: { y: { dtype: 'DT_FLOAT', shape: [-1] } },
};
const CARDS = { 'clothing-model': CARD, all: 'name: all\n', table: 'name: table\n' };

let model: ModelServer;
let gateway: RunningGateway;
let settings: Record<string, string>;
let answer: (call: PredictCall) => object | Promise<object>;

before(async (t) => {
  const models = { all: signature(ALL), json: signature(JSON_TYPES), table: TABLE };
  model = await startModelServer({
    ...XCEPTION,
    models,
    version: 3,
    names: ['clothing-model', ...Object.keys(models)],
    onPredict: (call) => answer(call),
  });
  const context = t as TestContext;
  const keys = await modelsFolder(context, {
    keys: `- name: shop\n  sha256: ${createHash('sha256').update(KEY).digest('hex')}\n`,
  });
  settings = {
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(context, CARDS),
    MAX_INSTANCES: '4',
    MAX_OUTPUT_BYTES: '64MB',
    REQUEST_TIMEOUT: '10s',
    API_KEYS_FILE: `${keys}/keys/model.yaml`,
  };
  gateway = await startGateway(settings);
  await gateway.ready();
});

after(async () => {
  assert.equal(await gateway.stop(), 0);
  model.close();
});

beforeEach(() => {
  answer = answerOf;
});

/** A row of scores whose first number is the mean of the row's pixels; every other model answers its inputs. */
function answerOf(call: PredictCall): object | Promise<object> {
  if (call.spec.name !== 'clothing-model') return echo(call);
  const [input] = Object.values(call.inputs);
  const rows = input?.shape[0] ?? 0;
  const pixels = new Float32Array(new Uint8Array(input?.tensor_content ?? []).buffer);
  const length = pixels.length / rows;
  const scores = Array.from({ length: rows }, (_, row) => {
    const own = pixels.subarray(row * length, (row + 1) * length);
    return [own.reduce((sum, value) => sum + value, 0) / length, ...Array(9).fill(0)];
  });
  return { dense_7: floatTensor([rows, 10], scores.flat()) };
}

type Output = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data?: readonly unknown[];
  readonly parameters?: { readonly binary_data_size: number };
};
type Body = { readonly error?: string; readonly id?: string; readonly outputs: readonly Output[] };
type Came = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
  readonly binary: Buffer;
};

type Looked = {
  readonly error?: string;
  readonly name?: string;
  readonly version?: string;
  readonly versions?: readonly string[];
  readonly extensions?: readonly string[];
};

async function get(path: string, { url } = gateway, headers: Record<string, string> = { 'X-API-Key': KEY }) {
  const response = await fetch(`${url}/v2${path}`, { headers });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Looked };
}

/** Sends JSON, and binary data behind it where there is some. */
async function send(
  path: string,
  json: unknown,
  binary?: Uint8Array,
  more: Record<string, string> = {},
): Promise<Came> {
  const head = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  const headers = { 'X-API-Key': KEY, ...(binary && { [LENGTH]: String(head.length) }), ...more };
  const body = Buffer.concat([head, binary ?? Buffer.alloc(0)]);
  const response = await fetch(`${gateway.url}/v2/models/${path}`, { method: 'POST', body, headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  const length = Number(response.headers.get(LENGTH) ?? bytes.length);
  const text = bytes.subarray(0, length).toString();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: JSON.parse(text) as Body,
    binary: bytes.subarray(length),
  };
}

const rawOf = (type: Type) => Buffer.from(TYPES[type].raw, 'hex');

/** An input of two elements with binary data. */
function binaryInput(type: Type, more: object = {}) {
  const parameters = { binary_data_size: rawOf(type).length };
  return { name: `x_${type}`, datatype: type, shape: [2], parameters, ...more };
}

/** The JSON of an input of two elements. The text of its data is as it stands in the table. */
function jsonInput(type: Type, data: string = TYPES[type].json ?? '[]'): string {
  return JSON.stringify({ name: `x_${type}`, datatype: type, shape: [2] }).replace(/\}$/, `,"data":${data}}`);
}

test('every datatype passes as binary data, bit by bit, in both directions', async () => {
  const request = { id: 'one', inputs: ALL.map((type) => binaryInput(type)), parameters: { binary_data_output: true } };
  const came = await send('all/infer', request, Buffer.concat(ALL.map(rawOf)));
  assert.equal(came.status, 200, came.text);
  assert.equal(came.headers.get('content-type'), 'application/octet-stream');
  assert.deepEqual(came.body, {
    model_name: 'all',
    model_version: '3',
    id: 'one',
    outputs: ALL.map((type) => ({
      name: `y_${type}`,
      datatype: type,
      shape: [2],
      parameters: { binary_data_size: rawOf(type).length },
    })),
  });
  assert.equal(came.binary.toString('hex'), ALL.map((type) => TYPES[type].raw).join(''));
});

test('every datatype but BF16 passes as JSON, with all digits', async () => {
  const inputs = JSON_TYPES.map((type) => jsonInput(type));
  const came = await send('json/versions/3/infer', `{"inputs":[${inputs}]}`);
  const outputs = inputs.map((input) => input.replaceAll('x_', 'y_'));
  assert.equal(came.status, 200, came.text);
  assert.equal(came.text, `{"model_name":"json","model_version":"3","outputs":[${outputs}]}`);
  assert.equal(came.headers.get(LENGTH), null);
  assert.equal(came.headers.get('x-model-version'), '3');
  const { inputs: sent } = model.calls.at(-1) ?? assert.fail('no call');
  for (const type of JSON_TYPES.filter((one) => one !== 'BYTES')) {
    assert.equal(sent[`x_${type}`]?.tensor_content.toString('hex'), TYPES[type].raw, type);
  }
});

test('BF16 is binary data only, in both directions', async () => {
  const inputs = ALL.map((type) => binaryInput(type));
  const binary = Buffer.concat(ALL.map(rawOf));
  const out = await send('all/infer', { inputs }, binary);
  assert.equal(out.status, 400);
  assert.match(String(out.body.error), /^outputs: y_BF16 is BF16, which is sent as binary data only/);
  const own = await send(
    'all/infer',
    { inputs, outputs: [{ name: 'y_BF16', parameters: { binary_data: true } }] },
    binary,
  );
  assert.equal(own.binary.toString('hex'), TYPES.BF16.raw);
  assert.equal((await send('all/infer', { inputs, outputs: [{ name: 'y_INT8' }] }, binary)).status, 200);
  const into = await send('all/infer', `{"inputs":[${jsonInput('BF16', '[1,2]')}]}`);
  assert.deepEqual([into.status, into.body.error], [400, 'inputs[0] (x_BF16): BF16 is sent as binary data only']);
});

test('JSON and binary data stand side by side, in inputs and in outputs', async () => {
  const inputs = JSON_TYPES.map((type) => (type === 'INT16' || type === 'BYTES' ? binaryInput(type) : undefined));
  const texts = JSON_TYPES.map((type, index) => (inputs[index] ? JSON.stringify(inputs[index]) : jsonInput(type)));
  const outputs = [
    { name: 'y_BYTES' },
    { name: 'y_FP32', parameters: { binary_data: false } },
    { name: 'y_INT16', parameters: { binary_data: true } },
  ];
  const binary = Buffer.concat([rawOf('INT16'), rawOf('BYTES')]);
  const request = `{"inputs":[${texts}],"outputs":${JSON.stringify(outputs)},"parameters":{"binary_data_output":true}}`;
  const came = await send('json/infer', request, binary);
  assert.equal(came.status, 200, came.text);
  const byName = new Map(came.body.outputs.map((output) => [output.name, output]));
  assert.deepEqual([...byName.keys()].sort(), ['y_BYTES', 'y_FP32', 'y_INT16']);
  assert.deepEqual(byName.get('y_FP32')?.data, [1.5, -0.25]);
  assert.deepEqual(
    [byName.get('y_INT16')?.parameters, byName.get('y_BYTES')?.parameters],
    [{ binary_data_size: 4 }, { binary_data_size: 12 }],
  );
  const raw = came.body.outputs.flatMap(({ name, parameters }) => (parameters ? TYPES[name.slice(2) as Type].raw : []));
  assert.equal(came.binary.toString('hex'), raw.join(''));
});

test('data is one list, or lists of the shape', async () => {
  const pixels = Array.from({ length: 299 * 299 * 3 }, (_, index) => index % 2);
  const rows = (list: readonly unknown[], size: number) =>
    Array.from({ length: list.length / size }, (_, index) => list.slice(index * size, (index + 1) * size));
  const input = { name: 'input_8', datatype: 'FP32', shape: [1, 299, 299, 3] };
  for (const data of [pixels, [rows(rows(pixels, 3), 299)]]) {
    const { status: code, body } = await send('clothing-model/infer', { inputs: [{ ...input, data }] });
    assert.equal(code, 200, body.error);
    assert.deepEqual(body.outputs[0]?.shape, [1, 10]);
    assert.ok(Math.abs(Number(body.outputs[0]?.data?.[0]) - 0.5) < 1e-4);
  }
  const wrong = await send('clothing-model/infer', { inputs: [{ ...input, data: rows(pixels, 3) }] });
  assert.match(String(wrong.body.error), /inputs\[0\] \(input_8\)\.data: expected 268203 values for the shape/);
});

test('NaN and infinities are strings in JSON', async () => {
  const data = ['NaN', 'Infinity', '-Infinity', -0];
  const input = { name: 'x', datatype: 'FP32', shape: [4], data };
  const { text } = await send('table/infer', { inputs: [input] });
  assert.match(text, /"data":\["NaN","Infinity","-Infinity",0\]/);
});

test('encoded pictures in a BYTES input of an image model go through the picture line', async () => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(jpeg.length);
  const one = Buffer.concat([length, jpeg]);
  const input = { name: 'input_8', datatype: 'BYTES', shape: [2] };
  const parameters = { binary_data_size: one.length * 2 };
  const binary = await send('clothing-model/infer', { inputs: [{ ...input, parameters }] }, Buffer.concat([one, one]));
  assert.equal(binary.status, 200, binary.text);
  const b64 = { b64: jpeg.toString('base64') };
  const json = await send('clothing-model/infer', { inputs: [{ ...input, data: [b64, b64] }] });
  assert.deepEqual(json.body, binary.body);
  assert.deepEqual(json.body.outputs[0]?.shape, [2, 10]);
  assert.ok(Number(json.body.outputs[0]?.data?.[0]) !== 0);
  const bad = await send('clothing-model/infer', { inputs: [{ ...input, data: [b64, 'no picture'] }] });
  assert.equal(bad.status, 422);
  assert.match(String(bad.body.error), /^inputs\[0\] \(input_8\)\[1\]/);
  const many = await send('clothing-model/infer', { inputs: [{ ...input, shape: [5], data: Array(5).fill(b64) }] });
  assert.deepEqual(
    [many.status, many.body.error],
    [413, 'instances: at most 4 images in one request (MAX_INSTANCES).'],
  );
});

test('an output may be answered as its best classes', async () => {
  const b64 = { b64: jpeg.toString('base64') };
  const input = { name: 'input_8', datatype: 'BYTES', shape: [1], data: [b64] };
  const outputs = [{ name: 'dense_7', parameters: { classification: 2 } }];
  const { body } = await send('clothing-model/infer', { inputs: [input], outputs });
  const [best] = body.outputs;
  assert.deepEqual([best?.datatype, best?.shape], ['BYTES', [1, 2]]);
  const mean = Number(String(best?.data?.[0]).split(':')[0]);
  assert.deepEqual(best?.data, mean > 0 ? [`${mean}:0:dress`, '0:1:hat'] : ['0:1:hat', '0:2:longsleeve']);
});

test('the server, its health, its models and their readiness', async () => {
  const server = await get('');
  assert.deepEqual(
    [server.body.name, server.body.extensions],
    ['tensorgate', ['binary_tensor_data', 'classification']],
  );
  assert.match(server.body.version ?? '', /^\d+\.\d+\.\d+$/);
  assert.deepEqual((await get('/health/live', gateway, {})).body, { live: true });
  assert.deepEqual((await get('/health/ready', gateway, {})).body, { ready: true });
  assert.deepEqual((await get('/models/table')).body, {
    name: 'table',
    versions: ['3'],
    platform: 'tensorflow_savedmodel',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
  });
  assert.deepEqual((await get('/models/table/versions/3')).body.versions, ['3']);
  assert.deepEqual((await get('/models/table/versions/3/ready')).body, { name: 'table', ready: true });
  for (const [path, code, text] of [
    ['/models/table/versions/9/ready', 404, /version 9/],
    ['/models/nobody/ready', 404, /no such model/],
    ['/models/nobody', 404, /no such model/],
    ['/models/table/versions/latest', 400, /^model_version: latest is not the number of a version/],
    ['/models/%ff', 400, /^path: %ff is not percent-encoded/],
    ['/models/table/stats', 404, /no such route/],
    ['/repository/index', 404, /no such route/],
  ] as const) {
    const came = await get(path);
    assert.equal(came.status, code, path);
    assert.match(came.body.error ?? '', text);
  }
});

test('a request has the log line, metrics and keys of every other', async () => {
  const refused = await send('table/infer', {}, undefined, { 'X-API-Key': 'other' });
  assert.deepEqual([refused.status, Object.keys(refused.body)], [401, ['error']]);
  assert.equal(refused.headers.get('www-authenticate'), 'Bearer realm="tensorgate"');
  const input = { name: 'x', datatype: 'FP32', shape: [2], data: [1, 2] };
  const { headers } = await send('table/infer', { inputs: [input] });
  const [line] = await gateway.linesOf(headers.get('x-request-id'));
  assert.deepEqual(
    [line?.route, line?.model, line?.version, line?.key],
    ['/v2/models/{model}/infer', 'table', 3, 'shop'],
  );
  assert.match(await gateway.metrics(), /route="\/v2\/models\/\{model\}\/infer",status="200"/);
});

const x = (more: object) => ({ inputs: [{ name: 'x', datatype: 'FP32', shape: [2], data: [1, 2], ...more }] });
const sized = (size: unknown, more: object = {}) =>
  x({ data: undefined, parameters: { binary_data_size: size }, ...more });
const BYTES8 = Buffer.alloc(8);
for (const [name, request, binary, code, text] of [
  [
    'another datatype',
    x({ datatype: 'INT32' }),
    undefined,
    400,
    /^inputs\[0\] \(x\): datatype: expected FP32, got INT32/,
  ],
  ['no datatype', x({ datatype: 'FLOAT' }), undefined, 400, /datatype: FLOAT is none of the Open Inference Protocol/],
  ['another rank', x({ shape: [1, 2], data: [[1, 2]] }), undefined, 400, /shape: expected \[n\], got \[1,2\]/],
  ['fewer values', x({ data: [1] }), undefined, 400, /\.data: expected 2 values for the shape \[2\]/],
  ['a negative axis', x({ shape: [-2] }), undefined, 400, /expected -2 values/],
  ['a negative axis and binary data', sized(8, { shape: [-2] }), BYTES8, 400, /\[-2\] has no number of elements/],
  ['an axis of 2^31', x({ shape: [2 ** 31] }), undefined, 400, /expected 2147483648 values/],
  ['an axis of 2^31 and binary data', sized(8, { shape: [2 ** 31] }), BYTES8, 400, /expected 8589934592 bytes/],
  ['a product above 2^53', x({ shape: Array(9).fill(2 ** 31) }), undefined, 400, /values for the shape/],
  [
    'a product above 2^53 and binary data',
    sized(8, { shape: [2 ** 40, 2 ** 40] }),
    BYTES8,
    400,
    /shape: expected \[n\], got/,
  ],
  ['ten thousand axes', x({ shape: Array(10_000).fill(1) }), undefined, 400, /at most 254 axes/],
  ['a shape that is none', x({ shape: [1.5] }), undefined, 400, /shape: needs a list of whole numbers/],
  ['a wrong value', x({ data: [1, 'a'] }), undefined, 400, /^inputs\[0\] \(x\)\.data\[1\]: expected a number, got "a"/],
  ['no data', x({ data: undefined }), undefined, 400, /has no data/],
  ['both', sized(8, { data: [1, 2] }), BYTES8, 400, /has both data and/],
  ['a size without the header', sized(8), undefined, 400, /needs the header Inference-Header-Content-Length/],
  ['a negative size', sized(-8), BYTES8, 400, /binary_data_size: needs a whole number of bytes, got -8/],
  ['a size as text', sized('8'), BYTES8, 400, /needs a whole number of bytes, got "8"/],
  ['a size above the body', sized(9), BYTES8, 400, /binary_data_size: 9, but 8 bytes are left/],
  ['a size below the body', sized(4), BYTES8, 400, /body: 4 bytes are left behind the binary data/],
  [
    'a size that is not the shape',
    sized(8, { shape: [3] }),
    BYTES8,
    400,
    /expected 12 bytes for the shape \[3\], got 8/,
  ],
  ['an unknown input', x({ name: 'z' }), undefined, 400, /^inputs\[0\] \(z\): no such input; the model has x/],
  [
    'an input twice',
    { inputs: [...x({}).inputs, ...x({}).inputs] },
    undefined,
    400,
    /^inputs\[1\] \(x\): send it once/,
  ],
  ['no input', { inputs: [] }, undefined, 400, /^inputs: x is missing/],
  ['no list of inputs', {}, undefined, 400, /^inputs: needs a list, got nothing/],
  [
    'an unknown output',
    { ...x({}), outputs: [{ name: 'z' }] },
    undefined,
    400,
    /^outputs: no z in this signature; it has y/,
  ],
  [
    'shared memory',
    x({ data: undefined, parameters: { shared_memory_region: 'a' } }),
    undefined,
    400,
    /shared_memory_region: is not offered/,
  ],
  [
    'classes below one',
    { ...x({}), outputs: [{ name: 'y', parameters: { classification: 0 } }] },
    undefined,
    400,
    /^outputs\[0\]\.parameters\.classification: needs a number of classes above zero/,
  ],
  ['a sequence', { ...x({}), parameters: { sequence_id: 7 } }, undefined, 400, /sequence_id: is not offered/],
  ['an id that is no text', { ...x({}), id: 7 }, undefined, 400, /^id: needs a string, got 7/],
  ['another signature', { ...x({}), parameters: { signature_name: 'b' } }, undefined, 400, /^signature: no b/],
  ['no object', '[1]', undefined, 400, /^body: needs an object, got a list/],
  ['no JSON', '{"inputs": [', undefined, 400, /not JSON.*"datatype": "FP32"/],
  ['deep JSON', `{"inputs":${'['.repeat(1e5)}`, undefined, 400, /nested more than 64 levels deep/],
  ['many inputs', { inputs: Array(6000).fill({}) }, undefined, 400, /^inputs: at most 5000/],
  ['two million numbers', `{"inputs":[${'1,'.repeat(2e6)}1]}`, undefined, 413, /takes more memory/],
  ['a long id', { ...x({}), id: 'a'.repeat(1e6) }, undefined, 400, /^id: at most 1000 characters/],
] as const) {
  test(`D14: ${name} is ${code}`, async (t) => {
    const startedMs = performance.now();
    const came = await send('table/infer', request, binary);
    t.diagnostic(`came: ${came.status} after ${(performance.now() - startedMs).toFixed(0)} ms, ${came.body.error}`);
    assert.equal(came.status, code);
    assert.match(String(came.body.error), text);
    assert.deepEqual(Object.keys(came.body), ['error']);
  });
}

for (const [name, length, code, text] of [
  ['a length of the JSON above the body', '1000', 400, /^The body has 7 bytes, and its JSON should have 1000/],
  ['a length of the JSON that is none', '-1', 400, /^Inference-Header-Content-Length: needs the number of bytes/],
  ['a length of zero', '0', 400, /^Inference-Header-Content-Length: needs the number of bytes/],
  ['a length that cuts the JSON', '3', 400, /not JSON/],
] as const) {
  test(`D14: ${name} is ${code}`, async (t) => {
    const came = await send('table/infer', '{"a":1}', undefined, { [LENGTH]: length });
    t.diagnostic(`came: ${came.status}, ${came.body.error}`);
    assert.equal(came.status, code);
    assert.match(String(came.body.error), text);
  });
}

test('20 MB of binary data and 200,000 numbers of JSON come back as they were', async () => {
  const binary = new Uint8Array(Float32Array.from({ length: 5e6 }, (_, index) => index / 8).buffer);
  const parameters = { binary_data_output: true };
  const large = await send('table/infer', { ...sized(binary.length, { shape: [5e6] }), parameters }, binary);
  assert.equal(large.status, 200, large.text);
  assert.ok(large.binary.equals(binary));
  const data = Array.from({ length: 2e5 }, (_, index) => index / 8);
  const json = await send('table/infer', x({ shape: [2e5], data }));
  assert.deepEqual(json.body.outputs[0]?.data, data);
});

test('large JSON stands before binary data', async () => {
  const data = Array.from({ length: 3e5 }, (_, index) => index % 100);
  const inputs = JSON_TYPES.map((type) => ({ ...binaryInput(type), shape: [type === 'FP32' ? data.length : 2] }));
  const [fp32] = inputs.splice(JSON_TYPES.indexOf('FP32'), 1);
  const { parameters: _, ...large } = fp32 ?? assert.fail();
  const binary = Buffer.concat(JSON_TYPES.filter((type) => type !== 'FP32').map(rawOf));
  const outputs = [{ name: 'y_FP32' }, { name: 'y_INT64', parameters: { binary_data: true } }];
  const came = await send('json/infer', { inputs: [...inputs, { ...large, data }], outputs }, binary);
  assert.equal(came.status, 200, came.text.slice(0, 200));
  assert.deepEqual(came.body.outputs.find(({ name }) => name === 'y_FP32')?.data, data);
  assert.equal(came.binary.toString('hex'), TYPES.INT64.raw);
});

const SERVER_TEXT = 'Matrix size-incompatible: In[0]: [1,2], In[1]: [3,4]';
for (const [code, wanted, text] of [
  ['INVALID_ARGUMENT', 400, SERVER_TEXT],
  ['UNAVAILABLE', 503, 'The model server is not reachable; try again.'],
  ['RESOURCE_EXHAUSTED', 429, 'The model server is at capacity; try again.'],
  ['INTERNAL', 502, 'The model server failed on the request.'],
] as const) {
  test(`E5: ${code} of the model server is ${wanted} on /v2`, async (t) => {
    answer = () => {
      throw { code: status[code], details: SERVER_TEXT };
    };
    const came = await send('table/infer', x({}));
    t.diagnostic(`came: ${came.status} ${came.body.error}`);
    assert.deepEqual([came.status, came.body.error], [wanted, text]);
    assert.equal(came.headers.get('retry-after'), wanted === 503 || wanted === 429 ? '1' : null);
  });
}

test('a model server that is away is a gateway that is not ready', async (t) => {
  const alone = await startGatewayFor(t, { ...settings, TF_SERVING_HOST: '127.0.0.1:1' });
  const ready = await get('/health/ready', alone, {});
  assert.deepEqual([ready.status, ready.body], [503, { ready: false }]);
  const table = await get('/models/table/ready', alone);
  assert.deepEqual([table.status, Object.keys(table.body)], [503, ['error']]);
});

test('D9: other methods on /v2 are 405 with Allow', async () => {
  for (const [method, path, allow] of [
    ['POST', '', 'GET, HEAD'],
    ['DELETE', '/health/live', 'GET, HEAD'],
    ['PUT', '/models/table', 'GET, HEAD'],
    ['POST', '/models/table/ready', 'GET, HEAD'],
    ['GET', '/models/table/infer', 'POST'],
    ['OPTIONS', '/models/table/versions/3/infer', 'POST'],
  ] as const) {
    const response = await fetch(`${gateway.url}/v2${path}`, { method, headers: { 'X-API-Key': KEY } });
    assert.deepEqual([response.status, response.headers.get('allow')], [405, allow], `${method} ${path}`);
    assert.deepEqual(Object.keys((await response.json()) as object), ['error']);
  }
  const head = await fetch(`${gateway.url}/v2/models/table`, { method: 'HEAD', headers: { 'X-API-Key': KEY } });
  assert.equal(head.status, 200);
});
