import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKS, classify } from './committed-model.ts';
import { predict, type RunningGateway, startGateway } from './gateway.ts';
import { modelsFolder } from './models.ts';

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway();
  await gateway.ready();
});
after(async () => assert.equal(await gateway.stop(), 0));

for (const [what, check] of CHECKS) test(what, () => check(gateway));

test('when the embedded server is killed, another one takes its place', async () => {
  const pids = () => gateway.log.filter(({ msg }) => /^\[embedded\] serving/.test(String(msg))).map(({ pid }) => pid);
  const [killed] = pids();
  process.kill(Number(killed), 'SIGKILL');
  for (let left = 300; left > 0 && pids().length < 2; left -= 1) await sleep(50);
  assert.notEqual(pids().at(-1), killed);
  let status = 0;
  for (let left = 100; left > 0 && status !== 200; left -= 1) {
    ({ status } = await classify(gateway));
    await sleep(50);
  }
  assert.equal(status, 200);
});

test('a model without any version is waited for, and the wait ends with SIGTERM', async (t) => {
  const waiting = await startGateway({ MODELS: await modelsFolder(t) });
  const { problem } = (await (await fetch(`${waiting.url}/health/ready`)).json()) as { problem: string };
  assert.match(problem, /^clothing-model: the model server has not been asked yet$/);
  assert.equal((await predict(waiting, { b64: 'AAAA' })).status, 503);
  assert.equal(await waiting.stop(), 0);
});
