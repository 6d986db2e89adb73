/** What the client of a gateway sees of a model server that answers wrongly. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { predict, type RunningGateway, startGateway } from './gateway.ts';
import { floatTensor, type ModelServer, type PredictCall, startModelServer, XCEPTION } from './model-server.ts';
import { CLASSES, modelsFolder } from './models.ts';

const b64 = (await readFile(new URL('golden/images/jpg-420.jpg', import.meta.url))).toString('base64');
const SCORES = Array.from({ length: 10 }, (_, column) => column - 4.5);
const SECRET = 'graph at /srv/models of 10.1.2.3';

let model: ModelServer;
let gateway: RunningGateway;
let answer: (call: PredictCall) => object;
let asked = 0;

before(async (t) => {
  model = await startModelServer({
    ...XCEPTION,
    onPredict(call) {
      asked += 1;
      return answer(call);
    },
  });
  gateway = await startGateway({
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t as TestContext),
    REQUEST_TIMEOUT: '5s',
  });
  await gateway.ready();
});

after(async () => {
  assert.equal(await gateway.stop(), 0);
  model.close();
});

beforeEach(() => {
  asked = 0;
});

type Body = {
  readonly kind?: string;
  readonly predictions?: readonly { readonly error?: { readonly kind: string } }[];
};

/** Asks for so many pictures and gives the status and the parsed body. */
async function ask(count = 1) {
  const body = count === 1 ? { b64 } : { instances: Array(count).fill({ b64 }) };
  const response = await predict(gateway, body);
  const answered = (await response.json()) as Body;
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body: answered };
}

const rowsOf = ({ inputs }: PredictCall) => inputs.input_8?.shape[0] ?? 0;
const table = (rows: number) => floatTensor([rows, 10], Array(rows).fill(SCORES).flat());

const STATUSES = [
  ['UNAVAILABLE', 503, 'model_unavailable'],
  ['RESOURCE_EXHAUSTED', 429, 'overloaded'],
  ['INTERNAL', 502, 'model_failed'],
  ['INVALID_ARGUMENT', 500, 'internal'],
  ['NOT_FOUND', 404, 'model_not_found'],
  ['UNIMPLEMENTED', 502, 'model_failed'],
  ['DEADLINE_EXCEEDED', 504, 'model_timeout'],
  ['UNKNOWN', 502, 'model_failed'],
] as const;

for (const [name, code, kind] of STATUSES) {
  test(`E5: ${name} of the model server is ${code} ${kind}`, async (t) => {
    answer = () => {
      throw { code: status[name], details: SECRET };
    };
    const came = await ask();
    t.diagnostic(`came: ${came.status} ${came.body.kind}`);
    assert.deepEqual([came.status, came.body.kind], [code, kind]);
    assert.equal(came.retryAfter, code === 503 || code === 429 ? '1' : null);
    assert.doesNotMatch(JSON.stringify(came.body), /srv|10\.1/);
  });
}

test('E7: scores as bytes, as halves, beside outputs that nobody asked for: the same answer', async () => {
  const tensor = { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: 1 }, { size: 10 }] } };
  const encodings = [
    table(1),
    { ...tensor, tensor_content: Buffer.from(Float32Array.from(SCORES).buffer) },
    { ...tensor, dtype: 'DT_DOUBLE', double_val: SCORES },
    { ...tensor, dtype: 'DT_HALF', tensor_content: Buffer.from(Float16Array.from(SCORES).buffer) },
  ];
  const expected = Object.fromEntries(CLASSES.map((name, column) => [name, SCORES[column]]));
  for (const dense_7 of encodings) {
    answer = () => ({ extra: floatTensor([1, 2], [7, 8]), dense_7 });
    const { status: code, body } = await ask();
    assert.deepEqual([code, body], [200, expected]);
  }
});

const WRONG: readonly (readonly [string, object])[] = [
  ['eleven scores for ten classes', { dense_7: floatTensor([1, 11], Array(11).fill(1)) }],
  ['an empty tensor', { dense_7: floatTensor([0, 10], []) }],
  ['no such output', { other: table(1) }],
  ['NaN', { dense_7: floatTensor([1, 10], SCORES.with(3, Number.NaN)) }],
  ['infinity', { dense_7: floatTensor([1, 10], SCORES.with(3, Number.POSITIVE_INFINITY)) }],
];
for (const [what, outputs] of WRONG) {
  test(`E8: ${what}: 502 model_failed, never a misaligned class map`, async () => {
    answer = () => outputs;
    const came = await ask();
    assert.deepEqual([came.status, came.body.kind], [502, 'model_failed']);
  });
}

test('E9: an answer for two of three pictures: each is asked by itself, once', async (t) => {
  answer = (call) => ({ dense_7: table(rowsOf(call) === 1 ? 1 : rowsOf(call) - 1) });
  const came = await ask(3);
  t.diagnostic(`came: ${came.status} after ${asked} Predicts`);
  assert.deepEqual([came.status, came.body.predictions?.length, asked], [200, 3, 4]);
});

test('E9: what fails by itself too is 502, in its place or for all', async () => {
  let single = 0;
  answer = (call) => {
    if (rowsOf(call) > 1) return { dense_7: table(2) };
    single += 1;
    return { dense_7: table(single === 2 ? 0 : 1) };
  };
  const { status: code, body } = await ask(3);
  assert.equal(code, 200);
  const kinds = body.predictions?.map(({ error }) => error?.kind);
  // Rows are in the order in which pictures were ready.
  assert.deepEqual(kinds?.toSorted(), ['model_failed', undefined, undefined]);
  answer = () => ({ dense_7: table(2) });
  const none = await ask(3);
  assert.deepEqual([none.status, none.body.kind], [502, 'model_failed']);
});

test('E19: an empty batch is 400, and nothing is sent', async () => {
  const response = await predict(gateway, { instances: [] });
  assert.deepEqual([response.status, asked], [400, 0]);
});
