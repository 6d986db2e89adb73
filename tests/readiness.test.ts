import assert from 'node:assert/strict';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { predict, type RunningGateway, startGateway, startGatewayFor } from './gateway.ts';
import { floatTensor, isWarmUp, startModelServer, XCEPTION } from './model-server.ts';
import { modelsFolder } from './models.ts';
import { until } from './until.ts';

const SAMPLE = 'jpg-420.jpg';
const IMAGES = new URL('golden/images/', import.meta.url);
const golden = JSON.parse(await readFile(new URL('golden/golden.json', import.meta.url), 'utf8'));
const b64 = (await readFile(new URL(SAMPLE, IMAGES))).toString('base64');
const SCORES = Array.from({ length: 10 }, (_, index) => index / 4);
const MODEL_SERVER = { ...XCEPTION, onPredict: () => ({ dense_7: floatTensor([1, 10], SCORES) }) };

type Readiness = {
  status: string;
  problem?: string;
  models: Record<string, { ready: boolean; version?: number; problem?: string; parity?: { state: string } }>;
};

async function readiness(gateway: RunningGateway): Promise<[number, Readiness]> {
  const response = await fetch(`${gateway.url}/health/ready`);
  return [response.status, (await response.json()) as Readiness];
}

/** Resolves with the first readiness that satisfies the condition; rejects after about 10 s. */
async function waitForReadiness(
  gateway: RunningGateway,
  condition: (current: Readiness) => boolean,
): Promise<Readiness> {
  for (let left = 200; left > 0; left -= 1) {
    const [, current] = await readiness(gateway);
    if (condition(current)) return current;
    await sleep(50);
  }
  throw new Error(JSON.stringify(await readiness(gateway)));
}

test('E1, E3: without a model server: live, not ready, 503 at once; it recovers by itself', async (t) => {
  const first = await startModelServer(MODEL_SERVER);
  const port = Number(first.target.split(':')[1]);
  first.close();
  const gateway = await startGatewayFor(t, { TF_SERVING_HOST: first.target, MODELS: await modelsFolder(t) });

  assert.equal((await fetch(`${gateway.url}/health/live`)).status, 200);
  const down = await waitForReadiness(gateway, ({ problem }) => /not reachable/.test(problem ?? ''));
  assert.equal(down.status, 'not ready');
  const startedMs = performance.now();
  const refused = await predict(gateway, { b64 });
  assert.equal(refused.status, 503);
  assert.equal(((await refused.json()) as { kind: string }).kind, 'model_unavailable');
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.ok(performance.now() - startedMs < 500);

  const model = await startModelServer(MODEL_SERVER, port);
  await waitForReadiness(gateway, ({ status }) => status === 'ready');
  assert.equal((await predict(gateway, { b64 })).status, 200);

  model.close();
  await waitForReadiness(gateway, ({ status }) => status === 'not ready');
  assert.equal((await predict(gateway, { b64 })).status, 503);
  const again = await startModelServer(MODEL_SERVER, port);
  t.after(() => again.close());
  await waitForReadiness(gateway, ({ status }) => status === 'ready');
});

test('E3: while a model server restarts the gateway stays ready for 5 s and answers 503', async (t) => {
  let model = await startModelServer(MODEL_SERVER);
  t.after(() => model.close());
  const port = Number(model.target.split(':')[1]);
  const gateway = await startGatewayFor(t, { TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t) });
  await gateway.ready();
  const notReadyLines = () => gateway.log.filter(({ msg }) => msg === 'model is not ready').length;
  const before = notReadyLines();
  model.close();
  const stoppedMs = performance.now();
  assert.equal((await predict(gateway, { b64 })).status, 503);
  while (performance.now() < stoppedMs + 2500) {
    assert.equal((await readiness(gateway))[0], 200);
    await sleep(50);
  }
  model = await startModelServer(MODEL_SERVER, port);
  await until(async () => (await predict(gateway, { b64 })).status === 200, 2000);
  // The next status call to the new server ends the grace period of the old one.
  await sleep(3000);
  assert.equal(notReadyLines(), before);

  model.close();
  const awayMs = performance.now();
  await waitForReadiness(gateway, ({ status }) => status === 'not ready');
  assert.ok(performance.now() - awayMs >= 4500);
  // After an outage the server may hold another model: parity is proven again, and here the signature is compared.
  const other = { input_8: { dtype: 'DT_FLOAT', shape: [-1, 8, 8, 3] } };
  model = await startModelServer({ ...MODEL_SERVER, inputs: other }, port);
  await waitForReadiness(gateway, ({ problem }) => /model\.yaml/.test(problem ?? ''));
});

test('E4: a model server that hangs: 504 model_timeout at the deadline, and the server got that deadline', async (t) => {
  const model = await startModelServer({ ...XCEPTION, onPredict: () => new Promise<never>(() => {}) });
  t.after(() => model.close());
  const settings = { TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t), REQUEST_TIMEOUT: '2s' };
  const gateway = await startGatewayFor(t, settings);
  await gateway.ready();
  const startedMs = performance.now();
  const response = await predict(gateway, { b64 });
  const tookMs = performance.now() - startedMs;
  assert.deepEqual([response.status, ((await response.json()) as { kind: string }).kind], [504, 'model_timeout']);
  assert.ok(tookMs > 1900 && tookMs < 3000, `took ${tookMs} ms`);
  const deadline = model.calls.at(-1)?.raw.getDeadline();
  const lateMs = Date.now() - Number(deadline);
  // gRPC sends the remaining time, so the server's deadline is later than ours by the transit time.
  assert.ok(lateMs > -300 && lateMs < 1000, `the server's deadline was ${lateMs} ms ago`);
});

test('E4: when a client disconnects its Predict is cancelled', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<void>();
  const model = await startModelServer({
    ...XCEPTION,
    onPredict(call) {
      if (isWarmUp(call)) return MODEL_SERVER.onPredict();
      call.raw.on('cancelled', () => cancelled.resolve());
      arrived.resolve();
      return new Promise<never>(() => {});
    },
  });
  t.after(() => model.close());
  const gateway = await startGatewayFor(t, { TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t) });
  await gateway.ready();
  const client = new AbortController();
  const request = fetch(`${gateway.url}/predict`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Request-Id': 'gone' },
    body: JSON.stringify({ b64 }),
    signal: client.signal,
  });
  await arrived.promise;
  client.abort();
  await assert.rejects(request);
  await cancelled.promise;
  const [line] = await gateway.linesOf('gone');
  assert.deepEqual([line?.status, line?.kind], [499, 'client_gone']);
});

test('E6: a model.yaml that contradicts the signature: one log line, not ready, and no Predict is sent', async (t) => {
  const model = await startModelServer(MODEL_SERVER);
  t.after(() => model.close());
  const card = 'name: m\nimage: {size: [224, 224], scale: tf}\nclasses: [a, b]\n';
  const gateway = await startGatewayFor(t, {
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t, { m: card }),
  });
  const { problem } = await waitForReadiness(gateway, ({ models }) => /model\.yaml/.test(models.m?.problem ?? ''));
  assert.match(
    problem ?? '',
    /model\.yaml of m says image of \[n,224,224,3\] NHWC, but version 1 .* has input input_8/,
  );
  assert.equal((await predict(gateway, { b64 })).status, 503);
  assert.equal(model.calls.length, 0);
  await sleep(700);
  assert.equal(gateway.log.filter(({ msg }) => msg === 'model is not ready').length, 1);
});

async function parityFolder(t: TestContext, scores: number[], sha256?: string): Promise<string> {
  const models = await modelsFolder(t);
  const folder = path.join(models, 'clothing-model', 'parity');
  await mkdir(folder);
  await cp(new URL(SAMPLE, IMAGES), path.join(folder, SAMPLE));
  const hash = sha256 ?? golden.images[SAMPLE].results['kih-xception-299'].sha256;
  await writeFile(path.join(folder, 'tensors.json'), JSON.stringify({ samples: [{ file: SAMPLE, sha256: hash }] }));
  await writeFile(
    path.join(folder, '1.json'),
    JSON.stringify({ version: 1, tolerance: 1e-4, scores: { [SAMPLE]: scores } }),
  );
  return models;
}

test('parity is proven, or differs in its scores or in its tensor; only proven is ready', async (t) => {
  const model = await startModelServer(MODEL_SERVER);
  t.after(() => model.close());
  for (const [models, state, problem] of [
    [await parityFolder(t, SCORES), 'proven', /^$/],
    [await parityFolder(t, SCORES.with(3, 1)), 'differing', /jpg-420\.jpg: its scores differ by 0\.25/],
    [
      await parityFolder(t, SCORES, 'f'.repeat(64)),
      'differing',
      /jpg-420\.jpg: its tensor has sha256 .*, training had fff/,
    ],
  ] as const) {
    const gateway = await startGatewayFor(t, { TF_SERVING_HOST: model.target, MODELS: models });
    const current = await waitForReadiness(gateway, (now) => now.models['clothing-model']?.parity?.state === state);
    assert.match(current.problem ?? '', problem);
    assert.equal(current.status, state === 'proven' ? 'ready' : 'not ready');
  }
});

test('B10: a full model server delays the proof of parity, and does not fail it', async (t) => {
  let refusals = 3;
  const model = await startModelServer({
    ...XCEPTION,
    onPredict() {
      if (refusals === 0) return MODEL_SERVER.onPredict();
      refusals -= 1;
      throw { code: status.RESOURCE_EXHAUSTED, details: 'Server Threadpool Exhausted' };
    },
  });
  t.after(() => model.close());
  const models = await parityFolder(t, SCORES);
  const gateway = await startGatewayFor(t, { TF_SERVING_HOST: model.target, MODELS: models });
  const { models: states } = await waitForReadiness(gateway, ({ status: ready }) => ready === 'ready');
  assert.equal(states['clothing-model']?.parity?.state, 'proven');
});

test('B11: a model.yaml with mistakes has them as its state, and the others are served and ready', async (t) => {
  const model = await startModelServer(MODEL_SERVER);
  t.after(() => model.close());
  const card = await readFile(path.join(await modelsFolder(t), 'clothing-model/model.yaml'), 'utf8');
  const MODELS = await modelsFolder(t, { 'clothing-model': card, broken: 'name: broken\nscoers: logits\n' });
  const env = { TF_SERVING_HOST: model.target, MODELS };
  const [any, all] = [await startGatewayFor(t, env), await startGatewayFor(t, { ...env, READY_WHEN: 'all' })];
  await any.ready();
  const current = await waitForReadiness(all, ({ models }) => models['clothing-model']?.ready === true);
  assert.match(current.models.broken?.problem ?? '', /^broken\/model\.yaml:2: scoers/);
  assert.equal(current.status, 'not ready');
  assert.equal((await predict(any, { b64 })).status, 200);
  const refused = await predict(any, { b64 }, '?model=broken');
  const { detail } = (await refused.json()) as { detail: string };
  assert.equal(refused.status, 503);
  assert.match(detail, /^The model broken is not available: broken\/model\.yaml:2: scoers/);

  // Corrected, it is read without a restart; with a new mistake, the last valid one stays in use.
  const file = path.join(MODELS, 'broken/model.yaml');
  await writeFile(file, 'name: broken\n');
  await waitForReadiness(all, ({ models }) => models.broken?.ready === true);
  await writeFile(file, 'name: broken\nscoers: logits\n');
  await until(() => all.log.some(({ msg }) => msg === 'model.yaml is refused; the last valid one stays in use'));
  assert.equal((await readiness(all))[0], 200);
  await rm(path.dirname(file), { recursive: true });
  await waitForReadiness(all, ({ models }) => models.broken === undefined);
});

test('invalid settings and model files stop the start with exit code 2', async (t) => {
  await assert.rejects(startGateway({ MODELS: await modelsFolder(t, { m: 'name: [' }) }), /ended with 2/);
  await assert.rejects(startGateway({ TF_SERVING_HOST: 'no port', MODELS: await modelsFolder(t) }), /ended with 2/);
  await assert.rejects(startGateway({ REQUEST_TIMEOUT: 'soon' }), /ended with 2/);
});
