import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { predict, type RunningGateway, startGateway } from './gateway.ts';
import { modelsFolder } from './models.ts';

const PARITY = new URL('../serving/models/clothing-model/parity/', import.meta.url);
const tensors = JSON.parse(await readFile(new URL('tensors.json', PARITY), 'utf8')) as { samples: { file: string }[] };
const expected = JSON.parse(await readFile(new URL('1.json', PARITY), 'utf8')) as { scores: Record<string, number[]> };

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway();
  await gateway.ready();
});
after(async () => assert.equal(await gateway.stop(), 0));

const ask = async (query = '') => {
  const bytes = await readFile(new URL(tensors.samples[0]?.file ?? '', PARITY));
  return predict(gateway, { b64: bytes.toString('base64') }, query);
};

test('without any setting the committed model is served and its parity proven', async () => {
  const { models } = (await (await fetch(`${gateway.url}/health/ready`)).json()) as {
    models: Record<string, { version: number; parity: { state: string } }>;
  };
  assert.deepEqual([models['clothing-model']?.version, models['clothing-model']?.parity.state], [1, 'proven']);
});

test('the scores are those that training computed', async () => {
  const [sample] = tensors.samples;
  const scores = Object.values((await (await ask()).json()) as Record<string, number>);
  const wanted = expected.scores[sample?.file ?? ''] ?? assert.fail('no sample');
  for (const [index, score] of scores.entries()) {
    assert.ok(Math.abs(score - (wanted[index] ?? Number.NaN)) <= 1e-4, `class ${index}: ${score}, ${wanted[index]}`);
  }
});

test('a version and a label that do not exist are 404, each in its own words', async () => {
  for (const [query, words] of [
    ['?version=99', /no such model, version or label/],
    ['?label=stable', /^query label: no version of clothing-model has this label/],
  ] as const) {
    const response = await ask(query);
    const { kind, detail } = (await response.json()) as { kind: string; detail: string };
    assert.deepEqual([response.status, kind], [404, 'model_not_found']);
    assert.match(detail, words);
  }
  assert.equal((await ask('?version=1')).status, 200);
});

test('when the embedded server is killed, readiness says so, and it comes back by itself', async () => {
  const line = gateway.log.find(({ msg }) => /^\[embedded\] serving/.test(String(msg)));
  process.kill(Number(line?.pid), 'SIGKILL');
  const status = async () => (await fetch(`${gateway.url}/health/ready`)).status;
  for (let left = 100; left > 0 && (await status()) !== 503; left -= 1) await sleep(30);
  assert.equal(await status(), 503);
  await gateway.ready();
  assert.equal((await ask()).status, 200);
});

test('a model without any version is waited for, and the wait ends with SIGTERM', async (t) => {
  const waiting = await startGateway({ MODELS: await modelsFolder(t) });
  const { problem } = (await (await fetch(`${waiting.url}/health/ready`)).json()) as { problem: string };
  assert.match(problem, /^clothing-model: the model server has not been asked yet$/);
  assert.equal((await predict(waiting, { b64: 'AAAA' })).status, 503);
  assert.equal(await waiting.stop(), 0);
});
