/** Files of the operator that are something else: folders, devices, pipes, sockets, loops, a gigabyte. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { runCli } from '../cli.ts';
import { predictImage, startGatewayFor } from '../gateway.ts';
import { EQUAL_SCORES, startClothingModel, startModelServer, XCEPTION } from '../model-server.ts';
import { CARD, modelsFolder } from '../models.ts';
import { until } from '../until.ts';

const sample = () => readFile(new URL('../golden/images/jpg-420.jpg', import.meta.url));

const MAKERS: Readonly<Record<string, (file: string) => unknown>> = {
  folder: (file) => mkdir(file),
  device: (file) => symlink('/dev/zero', file),
  pipe: (file) => execFileSync('mkfifo', [file]),
  loop: (file) => symlink('model.yaml', file),
  nowhere: (file) => symlink('missing', file),
  gigabyte: async (file) => {
    await writeFile(file, '');
    await truncate(file, 2 ** 30);
  },
};

const REASONS: Readonly<Record<string, string>> = {
  folder: 'is a folder, not a file',
  device: 'is not a file',
  pipe: 'is not a file',
  loop: 'its symbolic links form a loop',
  nowhere: 'no such file',
  gigabyte: 'is larger than 4 MiB',
};

async function brokenModels(models: string): Promise<void> {
  for (const [name, make] of Object.entries(MAKERS)) {
    await mkdir(path.join(models, name));
    await make(path.join(models, name, 'model.yaml'));
  }
}

test('A19: a model.yaml that is no file is the state of its model; the others are served', async (t) => {
  const model = await startClothingModel();
  t.after(() => model.close());
  const models = await modelsFolder(t);
  await brokenModels(models);
  const gateway = await startGatewayFor(t, { TF_SERVING_HOST: model.target, MODELS: models });
  await gateway.ready();
  const health = (await (await fetch(`${gateway.url}/health/ready`)).json()) as {
    models: Record<string, { ready: boolean; problem?: string }>;
  };
  for (const [name, reason] of Object.entries(REASONS)) {
    assert.deepEqual(health.models[name], { ready: false, problem: `${name}/model.yaml: ${reason}` });
  }
  const jpeg = await sample();
  assert.equal((await predictImage(gateway, jpeg)).status, 200);

  // The same while it runs: the last valid file stays in use, and a file put in place of another is read.
  await rm(path.join(models, 'clothing-model', 'model.yaml'));
  execFileSync('mkfifo', [path.join(models, 'clothing-model', 'model.yaml')]);
  await until(() => gateway.log.some(({ msg }) => /last valid one stays in use/.test(String(msg))));
  assert.equal((await predictImage(gateway, jpeg)).status, 200);
});

test('A19: parity/tensors.json that is no file is the state of its model', async (t) => {
  const model = await startModelServer({ ...XCEPTION, onPredict: () => EQUAL_SCORES });
  t.after(() => model.close());
  const models = await modelsFolder(t, { 'clothing-model': CARD, other: CARD.replace('clothing-model', 'other') });
  await mkdir(path.join(models, 'other', 'parity'));
  execFileSync('mkfifo', [path.join(models, 'other', 'parity', 'tensors.json')]);
  const gateway = await startGatewayFor(t, { TF_SERVING_HOST: model.target, MODELS: models });
  await until(async () => {
    const { models } = (await (await fetch(`${gateway.url}/health/ready`)).json()) as {
      models: Record<string, { problem?: string }>;
    };
    return models.other?.problem === 'parity/tensors.json: is not a file';
  });
  const response = await fetch(`${gateway.url}/predict?model=clothing-model`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/jpeg' },
    body: await sample(),
  });
  assert.equal(response.status, 200);
});

test('A19: a start without a usable file ends with code 2 and one line', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'files-'));
  t.after(() => rm(folder, { recursive: true }));
  const pipe = path.join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const only = path.join(folder, 'models', 'only');
  await mkdir(path.join(only, 'model.yaml'), { recursive: true });
  const starts: [Record<string, string>, RegExp][] = [
    [{ MODELS: path.dirname(only) }, /^only\/model\.yaml: is a folder, not a file\n$/],
    [{ API_KEYS_FILE: pipe }, /^API_KEYS_FILE: is not a file\n$/],
    [{ TLS_CERT_FILE: pipe, TLS_KEY_FILE: pipe }, /^TLS_CERT_FILE, TLS_KEY_FILE: .*pipe: is not a file\n$/],
    [{ TF_SERVING_CA_FILE: '/dev/zero' }, /^TF_SERVING_CA_FILE=\/dev\/zero: cannot be used: is not a file\n$/],
  ];
  for (const [settings, expected] of starts) await endsWith(t, settings, expected);
});

async function endsWith(t: TestContext, settings: Record<string, string>, expected: RegExp): Promise<void> {
  const env = {
    MODELS: await modelsFolder(t),
    TF_SERVING_HOST: '127.0.0.1:1',
    PORT: '0',
    ADMIN_PORT: '0',
    ...settings,
  };
  const { code, stderr } = await runCli(['serve'], { env });
  assert.match(stderr, expected);
  assert.equal(code, 2);
}
