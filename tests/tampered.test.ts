/** G10: version files that were changed after training. */
import assert from 'node:assert/strict';
import { cp, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { addVersion, pixelModels } from '../serving/embedded/testing/onnx-models.ts';
import { INDEX, SHARD } from './candidates.ts';
import { runCli } from './cli.ts';
import { NEWEST } from './committed-model.ts';
import { type Service, startGatewayFor } from './gateway.ts';
import { modelsFolder } from './models.ts';
import { findPython, startTensorFlowServing } from './tf-serving/server.ts';

const NAME = 'clothing-model';
const MODEL = new URL(`../serving/models/${NAME}/`, import.meta.url);
const python = await findPython();
const options = 'missing' in python ? { skip: python.missing } : {};

/** Copies the committed model to a temporary folder. */
async function copyModel(t: TestContext): Promise<string> {
  const models = await modelsFolder(t);
  await cp(MODEL, path.join(models, NAME), { recursive: true });
  return models;
}

/** Inverts the byte in the middle of the file. */
async function invertByte(file: string): Promise<void> {
  const bytes = await readFile(file);
  const middle = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 0xff, middle);
  await writeFile(file, bytes);
}

/** Polls until the answer matches; fails after a minute. */
async function waitForMatch(ask: () => Promise<string>, expected: RegExp): Promise<void> {
  let answer = '';
  for (let left = 300; left > 0 && !expected.test(answer); left -= 1) {
    await sleep(200);
    answer = await ask();
  }
  assert.match(answer, expected);
}

const readiness = (gateway: Service) => async () => {
  const response = await fetch(`${gateway.url}/health/ready`);
  return `${response.status} ${await response.text()}`;
};

for (const file of [SHARD, INDEX]) {
  test(`G10: TensorFlow does not load a version with a changed ${path.basename(file)}`, options, async (t) => {
    if ('missing' in python) return;
    const models = await copyModel(t);
    const flags = ['--max_num_load_retries=0', '--file_system_poll_wait_seconds=1'];
    const server = await startTensorFlowServing(python.program, models, { names: [NAME], flags });
    t.after(() => server.stop());
    const changed = path.join(models, 'changed');
    await cp(path.join(models, NAME, `${NEWEST}`), changed, { recursive: true });
    await invertByte(path.join(changed, file));
    await rename(changed, path.join(models, NAME, `${NEWEST + 1}`));
    const listed = async () => {
      const env = { MODELS: models, TF_SERVING_HOST: server.target };
      return (await runCli(['models', 'list', NAME], { env })).stdout;
    };
    await waitForMatch(listed, new RegExp(`^${NEWEST + 1} .*END: .*checksum`, 'im'));
    assert.match(await listed(), new RegExp(`^${NEWEST} .*AVAILABLE`, 'm'));
  });
}

test('G10: changed ONNX weights change the scores: parity differs, and the gateway is not ready', async (t) => {
  const models = await copyModel(t);
  const onnx = path.join(models, NAME, `${NEWEST}`, 'model.onnx');
  await invertByte(onnx);
  const gateway = await startGatewayFor(t, { MODELS: models });
  await waitForMatch(readiness(gateway), /^503 .*parity is differing: .* scores differ by/);
});

test('G10: weights outside the version folder are not loaded', async (t) => {
  const models = await modelsFolder(t, {
    photos: 'name: photos\nimage: {size: [299, 299], scale: tf}\nclasses: [a, b]\n',
  });
  const base = path.join(models, 'photos');
  const { model, serving_uint8 } = pixelModels(new Float32Array(299 * 299 * 3 * 2));
  // The new path has the same length as the old, so the protobuf stays valid.
  const outside = Buffer.from(serving_uint8.toString('latin1').replace('model.onnx', '../out.bin'), 'latin1');
  addVersion(base, 1, model);
  const gateway = await startGatewayFor(t, { MODELS: models });
  await gateway.ready();
  await writeFile(path.join(base, 'out.bin'), model);
  addVersion(base, 2, outside);
  const log = async () => JSON.stringify(gateway.log);
  await waitForMatch(log, /version: 2\} failed: .*escapes model directory/);
  assert.match(await readiness(gateway)(), /^200 .*"version":1,/);
});
