/** Large JSON of brackets, and of many values. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { after, before, type TestContext, test } from 'node:test';
import { predict, type RunningGateway, startGateway } from '../gateway.ts';
import { type ModelServer, startClothingModel } from '../model-server.ts';
import { modelsFolder } from '../models.ts';

const BODY_BYTES = 31e6;
const jpeg = await readFile(new URL('../golden/images/jpg-17x16.jpg', import.meta.url));

let model: ModelServer;
let gateway: RunningGateway;
before(async (t) => {
  model = await startClothingModel();
  gateway = await startGateway({
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t as TestContext),
    DECODERS: '1',
  });
  await gateway.ready();
});
after(async () => {
  const code = await gateway.stop();
  model.close();
  assert.equal(code, 0);
});

/** Sends the start of a body that never ends. Resolves to the answer. */
function sendStart(start: string): Promise<{ status: number; kind: string; detail: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; kind: string; detail: string }>();
  const headers = { 'Content-Type': 'application/json', 'Content-Length': BODY_BYTES };
  const sent = request(`${gateway.url}/predict`, { method: 'POST', headers });
  sent.on('error', reject);
  sent.on('response', async (response) => {
    const text = Buffer.concat(await response.toArray()).toString();
    sent.off('error', reject).on('error', () => undefined);
    sent.destroy();
    resolve({ status: response.statusCode ?? 0, ...JSON.parse(text) });
  });
  sent.write(start);
  return promise;
}

for (const [name, start, status, kind, detail] of [
  ['lists in lists', `{"b64": "", "other": ${'['.repeat(100)}`, 400, 'invalid_json', /nested more than 64 levels/],
  ['objects in objects', '{"a":'.repeat(100), 400, 'invalid_json', /nested more than 64 levels/],
  ['instances without end', `{"instances":[${'{},'.repeat(2000)}`, 413, 'body_too_large', /MAX_INSTANCES/],
  ['numbers without end', `{"b64":"","other":[${'1,'.repeat(3000)}`, 413, 'body_too_large', /MAX_INSTANCES/],
  ['keys without end', `{${'"a":1,'.repeat(3000)}`, 413, 'body_too_large', /MAX_INSTANCES/],
] as const) {
  test(`A02: ${name}: refused before the body has arrived`, async (t) => {
    const startedMs = performance.now();
    const answer = await sendStart(start);
    const tookMs = performance.now() - startedMs;
    assert.deepEqual([answer.status, answer.kind], [status, kind]);
    assert.match(answer.detail, detail);
    t.diagnostic(`came: ${status} after ${Math.round(tookMs)} ms`);
    assert.ok(tookMs < 5000);
  });
}

test('A02: while bodies of 31 MB are parsed, small requests are answered', async (t) => {
  const bodies = ['b64', 'url', '€'].map((key) => `{"${key}":"${'A'.repeat(BODY_BYTES - 20)}"}`);
  let isDone = false;
  const large = Promise.all(bodies.map((body) => predict(gateway, body))).finally(() => {
    isDone = true;
  });
  let worstMs = 0;
  while (!isDone) {
    const startedMs = performance.now();
    assert.equal((await fetch(`${gateway.url}/health/live`)).status, 200);
    worstMs = Math.max(worstMs, performance.now() - startedMs);
  }
  const answers = await large;
  assert.deepEqual(
    answers.map(({ status }) => status),
    [413, 400, 400],
  );
  t.diagnostic(`came: alive within ${Math.round(worstMs)} ms`);
  assert.ok(worstMs < 2000);
});

test('A02: a batch of 30 MB of base64 in JSON is read image by image', async () => {
  const b64 = Buffer.concat([jpeg, Buffer.alloc(4e6)]).toString('base64');
  const response = await predict(gateway, { instances: Array(5).fill({ b64 }), other: [1, { a: null }] });
  const { predictions } = (await response.json()) as { predictions: object[] };
  assert.equal(response.status, 200);
  assert.deepEqual(
    predictions.map((one) => 'error' in one),
    Array(5).fill(false),
  );
});
