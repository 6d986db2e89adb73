/** Models with model servers, deadlines and limits of their own: none of them slows down or stops the others. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { predict, type RunningGateway, startGatewayFor } from './gateway.ts';
import { floatTensor, type ModelServer, startModelServer } from './model-server.ts';
import { modelsFolder } from './models.ts';
import { freePort } from './tf-serving/server.ts';
import { until } from './until.ts';

const SIGNATURE = {
  inputs: { x: { dtype: 'DT_FLOAT', shape: [-1] } },
  outputs: { y: { dtype: 'DT_FLOAT', shape: [-1] } },
} as const;

/** A server that answers `y` once `ready` resolves. */
async function startServer(t: TestContext, y: number, ready: Promise<void> = Promise.resolve()): Promise<ModelServer> {
  const onPredict = () => ready.then(() => ({ y: floatTensor([1], [y]) }));
  const server = await startModelServer({ ...SIGNATURE, onPredict });
  t.after(() => server.close());
  return server;
}

async function ask(gateway: RunningGateway, model: string): Promise<string> {
  const response = await predict(gateway, { x: 1 }, `?model=${model}`);
  const { y, kind } = (await response.json()) as { y?: number; kind?: string };
  return `${response.status} ${y ?? kind}`;
}

test('a model has its own servers, and one whose servers are not there does not stop the others', async (t) => {
  const shared = await startServer(t, 1);
  const own = await startServer(t, 2);
  const MODELS = await modelsFolder(t, {
    shared: 'name: shared\n',
    own: `name: own\nbackend: {host: "${own.target}", protocol: tf-serving}\n`,
    gone: `name: gone\nbackend: {host: "127.0.0.1:${await freePort()}"}\n`,
  });
  const gateway = await startGatewayFor(t, { MODELS, TF_SERVING_HOST: shared.target });
  await gateway.ready();
  assert.equal(await ask(gateway, 'shared'), '200 1');
  assert.equal(await ask(gateway, 'own'), '200 2');
  assert.equal(await ask(gateway, 'gone'), '503 model_unavailable');
  assert.equal(shared.calls.length, 1);

  // The servers of the model change without a restart.
  const next = await startServer(t, 3);
  await writeFile(path.join(MODELS, 'own/model.yaml'), `name: own\nbackend: {host: "${next.target}"}\n`);
  await until(async () => (await ask(gateway, 'own')) === '200 3');
  own.close();
  assert.equal(await ask(gateway, 'own'), '200 3');
  shared.close();
  await until(async () => (await ask(gateway, 'shared')) === '503 model_unavailable');
  assert.equal(await ask(gateway, 'own'), '200 3');
});

test('requests of a slow model with a limit wait in its own queue, and end at its own deadline', async (t) => {
  const ready = Promise.withResolvers<void>();
  const slow = await startServer(t, 1, ready.promise);
  const quick = await startServer(t, 2);
  const MODELS = await modelsFolder(t, {
    quick: 'name: quick\n',
    slow: `name: slow\nbackend: {host: "${slow.target}"}\nmax_in_flight: 2\n`,
    hurried: `name: hurried\nbackend: {host: "${slow.target}"}\ntimeout: 300ms\nmax_in_flight: 1\n`,
  });
  const settings = { MODELS, TF_SERVING_HOST: quick.target, MAX_IN_FLIGHT: '4', MAX_QUEUE: '8' };
  const gateway = await startGatewayFor(t, settings);
  await gateway.ready();
  const waiting = Array.from({ length: 30 }, () => ask(gateway, 'slow'));
  await until(async () => slow.calls.length === 2 && /^tensorgate_requests_queued 8$/m.test(await gateway.metrics()));
  for (let request = 0; request < 20; request += 1) assert.equal(await ask(gateway, 'quick'), '200 2');
  assert.equal(await ask(gateway, 'hurried'), '504 model_timeout');
  assert.equal(slow.calls.length, 3, 'two of the slow model and one of the hurried one');
  ready.resolve();
  const answers = Object.groupBy(await Promise.all(waiting), (answer) => answer);
  assert.deepEqual([answers['200 1']?.length, answers['429 overloaded']?.length], [10, 20]);
});
