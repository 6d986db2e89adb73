/** A gateway with the embedded server: each model for itself, labels, and versions pushed while it runs. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { addVersion, onnxModel } from '../serving/embedded/testing/onnx-models.ts';
import { runCli } from './cli.ts';
import { predict, type RunningGateway, startGateway } from './gateway.ts';
import { modelsFolder } from './models.ts';
import { until } from './until.ts';

const card = (name: string) =>
  `name: ${name}\nimage: {size: [2, 2], scale: none, layout: NCHW}\nclasses: [r, g, b]\nscores: values\n`;

/** Gives the mean of each colour. */
const means = onnxModel({
  inputs: [{ name: 'image', shape: ['n', 3, 2, 2] }],
  outputs: [{ name: 'means', shape: ['n', 3] }],
  nodes: [
    ['GlobalAveragePool', ['image'], 'pooled'],
    ['Flatten', ['pooled'], 'means'],
  ],
});
const picture = sharp({ create: { width: 2, height: 2, channels: 3, background: '#010203' } });
const b64 = (await picture.png().toBuffer()).toString('base64');

const CONFIG = `model_config_list { config {
  name: "colours" base_path: "/models/colours" model_platform: "tensorflow"
  model_version_policy { all {} }
  version_labels { key: "stable" value: 1 }
  version_labels { key: "gone" value: 9 }
} }`;

let models: string;
let gateway: RunningGateway;

before(async (t) => {
  models = await modelsFolder(t as TestContext, {
    colours: card('colours'),
    'saved-only': card('saved-only'),
    wrong: 'name: wrong\nscoers: raw\n',
  });
  for (const version of [1, 2]) addVersion(path.join(models, 'colours'), version, means);
  await mkdir(path.join(models, 'saved-only/1'));
  await writeFile(path.join(models, 'saved-only/1/saved_model.pb'), 'x');
  await writeFile(path.join(models, 'models.config'), CONFIG);
  gateway = await startGateway({ MODELS: models });
  await gateway.ready();
});
after(async () => assert.equal(await gateway.stop(), 0));

type State = { ready: boolean; version?: number; problem?: string };

async function states(): Promise<Record<string, State>> {
  const response = await fetch(`${gateway.url}/health/ready`);
  return ((await response.json()) as { models: Record<string, State> }).models;
}

/** Runs `tensorgate models … --json` without TF_SERVING_HOST. */
async function run<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await runCli(['models', ...args, '--json'], { env: { MODELS: models } });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as T;
}

test('B11: a model without model.onnx and one with a wrong model.yaml have their reasons; the third is served', async () => {
  const { colours, wrong, 'saved-only': saved } = await states();
  assert.deepEqual([colours?.ready, colours?.version], [true, 2]);
  assert.equal(saved?.problem, 'no model.onnx in saved-only/1: run make convert');
  assert.match(wrong?.problem ?? '', /^wrong\/model\.yaml:2: scoers/);
  const answer = await predict(gateway, { b64 }, '?model=colours');
  assert.deepEqual([answer.status, await answer.json()], [200, { r: 1, g: 2, b: 3 }]);
  const refused = await predict(gateway, { b64 }, '?model=saved-only');
  assert.equal(refused.status, 503);
  assert.match(await refused.text(), /no model\.onnx in saved-only\/1: run make convert/);
});

test('F27: versions and labels are served as models list shows them', async () => {
  type Row = { version: number; labels: string[]; states: Record<string, string> };
  const [listed] = await run<{ versions: Row[] }[]>('list', 'colours');
  const rows = listed?.versions.map(({ version, labels, states }) => [version, labels, Object.values(states)]);
  assert.deepEqual(rows, [
    [1, ['stable'], ['AVAILABLE']],
    [2, [], ['AVAILABLE']],
  ]);
  for (const [query, version] of [
    ['label=stable', '1'],
    ['version=1', '1'],
    ['version=2', '2'],
  ]) {
    const answer = await predict(gateway, { b64 }, `?model=colours&${query}`);
    assert.deepEqual([answer.status, answer.headers.get('x-model-version')], [200, version], query);
  }
  await run('label', 'colours', 'stable=2');
  await until(async () => {
    const answer = await predict(gateway, { b64 }, '?model=colours&label=stable');
    return answer.headers.get('x-model-version') === '2';
  });
});

test('F27: a pushed version and a pushed new model are served without a restart and without TF_SERVING_HOST', async (t) => {
  const work = await modelsFolder(t, { fresh: card('fresh') });
  addVersion(path.join(work, 'fresh'), 7, means);
  const from = path.join(work, 'fresh/7');
  type Pushed = { version: number; servers: { address: string }[] };
  const added = await run<Pushed>('push', from, '--model', 'fresh', '--wait', '30s');
  assert.equal(added.version, 1);
  assert.match(added.servers[0]?.address ?? '', /^unix:/);
  await until(async () => (await states()).fresh?.ready === true);
  const answer = await predict(gateway, { b64 }, '?model=fresh');
  assert.deepEqual(await answer.json(), { r: 1, g: 2, b: 3 });

  assert.equal((await run<Pushed>('push', from, '--model', 'fresh', '--wait', '30s')).version, 2);
  await until(async () => (await states()).fresh?.version === 2);
});

test('F27: push --wait without any server says how to start one, and writes nothing', async (t) => {
  const work = await modelsFolder(t, { fresh: card('fresh') });
  addVersion(path.join(work, 'fresh'), 7, means);
  const args = ['models', 'push', path.join(work, 'fresh/7'), '--model', 'other', '--wait', '1s', '--models', work];
  const { code, stderr } = await runCli(args);
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^TF_SERVING_HOST is not set, and no gateway with the embedded server runs for .*: start one with/,
  );
});
