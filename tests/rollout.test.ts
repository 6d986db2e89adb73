/** A steady load while a version is pushed and while a model server dies. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { addVersion, pixelModels } from '../serving/embedded/testing/onnx-models.ts';
import { type RunningGateway, startGatewayFor } from './gateway.ts';
import { startLoad } from './load.ts';
import { modelsFolder } from './models.ts';
import { freePort } from './tf-serving/server.ts';
import { until } from './until.ts';

/** Long, because the machine may be busy. */
const WAIT_MS = 60_000;

const CARD = 'name: photos\nimage: {size: [299, 299], scale: tf}\nclasses: [a, b]\n';
const PARITY = new URL('../serving/models/clothing-model/parity/', import.meta.url);
const SERVER = new URL('../serving/embedded/main.ts', import.meta.url).pathname;
const PICTURE = 'palette.png';
const picture = await readFile(new URL(PICTURE, PARITY));
const body = { b64: picture.toString('base64') };
/** A model that gives every picture the scores 0 and 0. */
const { model } = pixelModels(new Float32Array(299 * 299 * 3 * 2));

async function readiness(gateway: RunningGateway) {
  const response = await fetch(`${gateway.url}/health/ready`);
  const { models } = (await response.json()) as {
    models: { photos: { version?: number; parity?: { state: string } } };
  };
  return { status: response.status, ...models.photos };
}

/** Creates a models folder with version 1. */
async function firstVersion(t: TestContext): Promise<string> {
  const models = await modelsFolder(t, { photos: CARD });
  addVersion(path.join(models, 'photos'), 1, model);
  return models;
}

test('E15: a version pushed under load is served and proven, and no request fails', async (t) => {
  const MODELS = await firstVersion(t);
  const gateway = await startGatewayFor(t, { MODELS });
  await gateway.ready();
  assert.deepEqual(await readiness(gateway), { status: 200, ready: true, version: 1, parity: unproven(1) });
  const load = startLoad(t, gateway, body);
  await until(() => load.answers.length > 10, WAIT_MS);

  const parity = path.join(MODELS, 'photos', 'parity');
  await mkdir(parity);
  await writeFile(path.join(parity, PICTURE), picture);
  await writeFile(path.join(parity, 'tensors.json'), await tensorsOf(PICTURE));
  await writeFile(path.join(parity, '2.json'), JSON.stringify({ tolerance: 1e-4, scores: { [PICTURE]: [0, 0] } }));
  addVersion(path.join(MODELS, 'photos'), 2, model);
  await until(async () => (await readiness(gateway)).version === 2, WAIT_MS);
  await until(() => load.answers.at(-1)?.version === '2', WAIT_MS);

  const answers = await load.stop();
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.deepEqual([...new Set(answers.map(({ version }) => version))], ['1', '2']);
  assert.equal((await readiness(gateway)).parity?.state, 'proven');
});

function unproven(version: number) {
  return { state: 'unproven', detail: `version ${version} has no parity/tensors.json` };
}

async function tensorsOf(picture: string): Promise<string> {
  const all = JSON.parse(await readFile(new URL('tensors.json', PARITY), 'utf8')) as { samples: { file: string }[] };
  return JSON.stringify({ samples: all.samples.filter(({ file }) => file === picture) });
}

test('E3: while the model server is down requests get 503 with Retry-After, then succeed again', async (t) => {
  const MODELS = await firstVersion(t);
  const port = await freePort();
  const first = await serve(t, MODELS, port);
  const gateway = await startGatewayFor(t, { MODELS, TF_SERVING_HOST: `127.0.0.1:${port}` });
  await gateway.ready();
  const load = startLoad(t, gateway, body);
  await until(() => load.answers.length > 10, WAIT_MS);
  first.kill('SIGKILL');
  await until(() => load.answers.filter(({ status }) => status === 503).length > 10, WAIT_MS);
  await serve(t, MODELS, port);
  await until(() => load.answers.slice(-5).every(({ status }) => status === 200), WAIT_MS);

  const answers = await load.stop();
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200, 503]);
  const refused = answers.filter(({ status }) => status === 503);
  assert.deepEqual([...new Set(refused.map(({ retryAfter }) => retryAfter))], ['1']);
  await gateway.ready();
});

/** Starts the embedded server on a port, used like a TF-Serving; killed after the test. */
async function serve(t: TestContext, models: string, port: number): Promise<ChildProcess> {
  const args = [`--port=${port}`, '--model_name=photos', `--model_base_path=${path.join(models, 'photos')}`];
  const child = spawn(process.execPath, [SERVER, ...args], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'message');
  return child;
}
