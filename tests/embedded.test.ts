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

test('when the embedded server is killed, readiness says so, and it comes back by itself', async () => {
  const line = gateway.log.find(({ msg }) => /^\[embedded\] serving/.test(String(msg)));
  process.kill(Number(line?.pid), 'SIGKILL');
  const status = async () => (await fetch(`${gateway.url}/health/ready`)).status;
  for (let left = 100; left > 0 && (await status()) !== 503; left -= 1) await sleep(30);
  assert.equal(await status(), 503);
  await gateway.ready();
  assert.equal((await classify(gateway)).status, 200);
});

test('a model without any version is waited for, and the wait ends with SIGTERM', async (t) => {
  const waiting = await startGateway({ MODELS: await modelsFolder(t) });
  const { problem } = (await (await fetch(`${waiting.url}/health/ready`)).json()) as { problem: string };
  assert.match(problem, /^clothing-model: the model server has not been asked yet$/);
  assert.equal((await predict(waiting, { b64: 'AAAA' })).status, 503);
  assert.equal(await waiting.stop(), 0);
});
