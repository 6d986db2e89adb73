import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CHECKS, classify } from './committed-model.ts';
import { predict, type RunningGateway, startGateway, startGatewayFor } from './gateway.ts';
import { modelsFolder } from './models.ts';
import { until } from './until.ts';

const NO_VERSION = 'no version in clothing-model: add one with tensorgate models push';

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway();
  await gateway.ready();
});
after(async () => assert.equal(await gateway.stop(), 0));

for (const [what, check] of CHECKS) test(what, () => check(gateway));

test('a killed embedded server is restarted', async () => {
  const pids = () => gateway.log.filter(({ msg }) => /^\[embedded\] serving/.test(String(msg))).map(({ pid }) => pid);
  const [killed] = pids();
  process.kill(Number(killed), 'SIGKILL');
  await until(() => pids().length > 1, 15_000);
  assert.notEqual(pids().at(-1), killed);
  await until(async () => (await classify(gateway)).status === 200);
});

test('the gateway waits for a first version of a model, and says so', async (t) => {
  const waiting = await startGatewayFor(t, { MODELS: await modelsFolder(t) });
  const problem = async () =>
    ((await (await fetch(`${waiting.url}/health/ready`)).json()) as { problem: string }).problem;
  await until(async () => (await problem()) === `clothing-model: ${NO_VERSION}`);
  const refused = await predict(waiting, { b64: 'AAAA' });
  const { detail } = (await refused.json()) as { detail: string };
  assert.deepEqual([refused.status, detail], [503, `The model clothing-model is not available: ${NO_VERSION}`]);
});
