/** Answers of the gateway when the model server fails or returns wrong outputs. */
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
let predicts = 0;

before(async (t) => {
  model = await startModelServer({
    ...XCEPTION,
    onPredict(call) {
      predicts += 1;
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
  predicts = 0;
});

type Body = {
  readonly kind?: string;
  readonly predictions?: readonly { readonly error?: { readonly kind: string } }[];
};

/** Sends `count` pictures in one request. */
async function send(count = 1) {
  const body = count === 1 ? { b64 } : { instances: Array(count).fill({ b64 }) };
  const response = await predict(gateway, body);
  const parsed = (await response.json()) as Body;
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body: parsed };
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
    const came = await send();
    t.diagnostic(`came: ${came.status} ${came.body.kind}`);
    assert.deepEqual([came.status, came.body.kind], [code, kind]);
    assert.equal(came.retryAfter, code === 503 || code === 429 ? '1' : null);
    assert.doesNotMatch(JSON.stringify(came.body), /srv|10\.1/);
  });
}

test('E7: scores in any encoding or dtype, beside an unknown output, give the same answer', async () => {
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
    const { status: code, body } = await send();
    assert.deepEqual([code, body], [200, expected]);
  }
});

const WRONG: readonly (readonly [string, object])[] = [
  ['eleven scores for ten classes', { dense_7: floatTensor([1, 11], Array(11).fill(1)) }],
  ['a tensor without rows', { dense_7: floatTensor([0, 10], []) }],
  ['the output is missing', { other: table(1) }],
  ['NaN', { dense_7: floatTensor([1, 10], SCORES.with(3, Number.NaN)) }],
  ['infinity', { dense_7: floatTensor([1, 10], SCORES.with(3, Number.POSITIVE_INFINITY)) }],
];
for (const [what, outputs] of WRONG) {
  test(`E8: ${what}: 502 model_failed, not wrongly named scores`, async () => {
    answer = () => outputs;
    const came = await send();
    assert.deepEqual([came.status, came.body.kind], [502, 'model_failed']);
  });
}

test('E9: an answer with two rows for three pictures: each picture is retried alone, once', async (t) => {
  answer = (call) => ({ dense_7: table(rowsOf(call) === 1 ? 1 : rowsOf(call) - 1) });
  const came = await send(3);
  t.diagnostic(`came: ${came.status} after ${predicts} Predicts`);
  assert.deepEqual([came.status, came.body.predictions?.length, predicts], [200, 3, 4]);
});

test('E9: a picture that fails alone too is 502 at its index; if all fail, the answer is 502', async () => {
  let single = 0;
  answer = (call) => {
    if (rowsOf(call) > 1) return { dense_7: table(2) };
    single += 1;
    return { dense_7: table(single === 2 ? 0 : 1) };
  };
  const { status: code, body } = await send(3);
  assert.equal(code, 200);
  const kinds = body.predictions?.map(({ error }) => error?.kind);
  // Rows are in the order in which the pictures were decoded.
  assert.deepEqual(kinds?.toSorted(), ['model_failed', undefined, undefined]);
  answer = () => ({ dense_7: table(2) });
  const none = await send(3);
  assert.deepEqual([none.status, none.body.kind], [502, 'model_failed']);
});

test('E19: an empty batch is 400, and no Predict is sent', async () => {
  const response = await predict(gateway, { instances: [] });
  assert.deepEqual([response.status, predicts], [400, 0]);
});
