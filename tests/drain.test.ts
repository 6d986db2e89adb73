import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { predictImage, startGateway } from './gateway.ts';
import { EQUAL_SCORES, startModelServer, XCEPTION } from './model-server.ts';
import { modelsFolder } from './models.ts';

const jpeg = await readFile(new URL('golden/images/jpg-420.jpg', import.meta.url));

test('F4: SIGTERM with 50 requests in flight: all are answered, and the exit code is 0', async (t) => {
  const inFlight = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  let inModel = 0;
  const model = await startModelServer({
    ...XCEPTION,
    async onPredict() {
      inModel += 1;
      if (inModel === 50) inFlight.resolve();
      await release.promise;
      return EQUAL_SCORES;
    },
  });
  t.after(() => model.close());
  const gateway = await startGateway({ TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t) });
  await gateway.ready();

  const answers = Array.from({ length: 50 }, async () => {
    const response = await predictImage(gateway, jpeg);
    return [response.status, Object.keys((await response.json()) as object).length, response.headers.get('connection')];
  });
  await inFlight.promise;
  const stopped = gateway.stop('SIGTERM');
  await sleep(300);
  await assert.rejects(once(connect(Number(new URL(gateway.url).port)), 'connect'), { code: 'ECONNREFUSED' });
  release.resolve();

  assert.deepEqual(await Promise.all(answers), Array(50).fill([200, 10, 'close']));
  assert.equal(await stopped, 0);
});

test('F5: SIGINT without requests in flight exits at once; a second signal ends a hanging request', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const model = await startModelServer({
    ...XCEPTION,
    onPredict() {
      arrived.resolve();
      return new Promise<never>(() => {});
    },
  });
  t.after(() => model.close());
  const models = await modelsFolder(t);
  const idle = await startGateway({ TF_SERVING_HOST: model.target, MODELS: models });
  assert.equal(await idle.stop('SIGINT'), 0);

  const busy = await startGateway({ TF_SERVING_HOST: model.target, MODELS: models });
  await busy.ready();
  const aborted = assert.rejects(predictImage(busy, jpeg));
  await arrived.promise;
  busy.process.kill('SIGTERM');
  await sleep(200);
  assert.equal(await busy.stop('SIGTERM'), 1);
  await aborted;
});
