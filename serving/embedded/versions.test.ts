import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { status } from '@grpc/grpc-js';
import type { ModelVersionStatus } from './protocol.ts';
import { addModel, addVersion, slowModel } from './testing/onnx-models.ts';
import { floats, refusal, startServer, type TestClient, temporaryFolder, until } from './testing/server.ts';

/** A temporary folder with a base path that contains version 1. */
function baseOf(t: TestContext): { folder: string; base: string } {
  const folder = temporaryFolder(t);
  const base = join(folder, 'm');
  addVersion(base, 1, addModel(1));
  return { folder, base };
}

/** Waits for exact states: a new version is available before the old one has ended. */
async function untilStates(client: TestClient, ...expected: [number, string][]): Promise<void> {
  await until(async () => isDeepStrictEqual(await client.states('m'), expected));
}

const flagsFor = (base: string) => ['--model_name=m', `--model_base_path=${base}`];

test('a new version replaces the old one; if it is deleted, the old one is loaded again', async (t) => {
  const { folder, base } = baseOf(t);
  const { client, output } = await startServer(t, folder, ...flagsFor(base));
  addVersion(base, 3, addModel(3));
  await untilStates(client, [3, 'AVAILABLE'], [1, 'END']);
  assert.deepEqual(await client.predictY('m', [0]), [3]);
  rmSync(join(base, '3'), { recursive: true });
  await untilStates(client, [3, 'END'], [1, 'AVAILABLE']);
  assert.deepEqual(await client.predictY('m', [0]), [1]);
  rmSync(join(base, '1'), { recursive: true });
  await untilStates(client, [3, 'END'], [1, 'END']);
  const gone = refusal(status.NOT_FOUND, 'Servable not found for request: Latest(m)');
  await assert.rejects(client.predictY('m', [0]), gone);
  assert.match(output(), /No versions of servable m found under base path/);
});

test('no request fails while versions change', async (t) => {
  const { folder, base } = baseOf(t);
  const { client } = await startServer(t, folder, ...flagsFor(base));
  const seen = new Set<number | undefined>();
  let changing = true;
  const asking = Array.from({ length: 4 }, async () => {
    while (changing) seen.add((await client.predictY('m', [0]))[0]);
  });
  for (const version of [2, 3]) {
    addVersion(base, version, addModel(version));
    await until(() => seen.has(version));
  }
  changing = false;
  await Promise.all(asking);
  assert.deepEqual([...seen], [1, 2, 3]);
});

test('an old version answers its pending requests before it is unloaded', async (t) => {
  const folder = temporaryFolder(t);
  const base = join(folder, 'm');
  addVersion(base, 1, slowModel());
  const { client } = await startServer(t, folder, ...flagsFor(base));
  const rows = 1500;
  const slow = client.predict('m', {
    x: { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: rows }, { size: 512 }] } },
  });
  addVersion(base, 2, addModel(2));
  await until(async () =>
    (await client.states('m')).some(([version, state]) => version === 2 && state === 'AVAILABLE'),
  );
  assert.deepEqual(await client.predictY('m', [0]), [2]);
  assert.equal((await slow).model_spec.version?.value, '1');
});

test('a broken version reports its error, and the old one serves until the file is complete', async (t) => {
  const { folder, base } = baseOf(t);
  const { client } = await startServer(t, folder, ...flagsFor(base));
  // Between two attempts the version is LOADING, so keep the last error.
  let lastError: ModelVersionStatus['status'] | undefined;
  const problem = async () => {
    const spec = { name: 'm', version: { value: 2 } };
    type Response = { model_version_status: ModelVersionStatus[] };
    const { model_version_status: found } = await client.call<Response>('GetModelStatus', { model_spec: spec });
    if (found[0]?.state === 'END') lastError = found[0].status;
    return lastError;
  };
  const file = join(base, '2', 'model.onnx');
  const model = addModel(2);

  mkdirSync(join(base, '2'));
  await until(async () => (await problem().catch(() => undefined))?.error_code === 'NOT_FOUND');
  assert.match(lastError?.error_message ?? '', /^Could not find .*model\.onnx/);

  writeFileSync(file, model.subarray(0, model.length / 2));
  const unread = { error_code: 'DATA_LOSS', error_message: `Can't parse ${file} as binary proto` };
  await until(async () => (await problem())?.error_message === unread.error_message);
  assert.deepEqual(lastError, unread);
  assert.deepEqual(await client.predictY('m', [0]), [1]);

  appendFileSync(file, model.subarray(model.length / 2));
  await until(async () => (await client.predictY('m', [0]))[0] === 2);
  await untilStates(client, [2, 'AVAILABLE'], [1, 'END']);
});

/** Writes a models.config with these models, each with further fields in text format. */
function writeConfig(
  folder: string,
  models: readonly (readonly [name: string, base: string, more?: string])[],
): string {
  const file = join(folder, 'models.config');
  const configs = models.map(
    ([name, base, more = '']) => `config { name: "${name}" base_path: "${base}" model_platform: "tensorflow" ${more} }`,
  );
  writeFileSync(file, `model_config_list { ${configs.join('\n')} }`);
  return file;
}

test('B11: a model that cannot be loaded, or has no version yet, does not keep the others from being served', async (t) => {
  const { folder, base } = baseOf(t);
  const [missing, broken] = [join(folder, 'later'), join(folder, 'broken')];
  mkdirSync(join(broken, '1'), { recursive: true });
  const file = writeConfig(folder, [
    ['m', base],
    ['later', missing],
    ['broken', broken],
  ]);
  const { client, output } = await startServer(t, folder, `--model_config_file=${file}`);
  assert.deepEqual(await client.predictY('m', [0]), [1]);
  assert.deepEqual(await client.states('broken'), [[1, 'END']]);
  assert.match(output(), /serving m version 1 on unix:/);
  assert.match(
    output(),
    /1 servable\(s\) did not become available: \{\{\{name: broken version: 1\} due to error: NOT_FOUND/,
  );
  addVersion(missing, 7, addModel(7));
  addVersion(broken, 1, addModel(2));
  await until(async () => (await client.predictY('later', [0]).catch(() => []))[0] === 7);
  await until(async () => (await client.predictY('broken', [0]).catch(() => []))[0] === 2);
});

test('F27: --model_config_file is read again: models come and go, and labels wait for their version', async (t) => {
  const { folder, base } = baseOf(t);
  const other = join(folder, 'other');
  addVersion(other, 5, addModel(5));
  const file = writeConfig(folder, [['m', base]]);
  const flags = [`--model_config_file=${file}`, '--model_config_file_poll_wait_seconds=1'];
  const { client, output } = await startServer(t, folder, ...flags);
  const all = 'model_version_policy { all {} }';
  writeConfig(folder, [
    ['m', base, `${all} version_labels { key: "stable" value: 2 }`],
    ['other', other],
  ]);
  await until(async () => (await client.predictY('other', [0]).catch(() => []))[0] === 5);
  assert.match(output(), /Request to assign label to version 2 of model m, which is not currently available/);
  addVersion(base, 2, addModel(2));
  const labelled = () => client.predictY('m', [0], { spec: { version_label: 'stable' } }).catch(() => []);
  await until(async () => (await labelled())[0] === 2);
  writeFileSync(file, 'model_config_list {');
  await until(() => output().includes('Invalid protobuf file'));
  assert.deepEqual(await client.predictY('other', [0]), [5]);
  writeConfig(folder, [['m', base, all]]);
  await until(async () => (await client.states('other'))[0]?.[1] === 'END');
  assert.deepEqual(await labelled(), []);
});

test('HandleReloadConfigRequest replaces the list of models', async (t) => {
  const { folder, base } = baseOf(t);
  const { client } = await startServer(t, folder, ...flagsFor(base));
  addVersion(base, 2, addModel(2));
  addVersion(join(folder, 'other'), 5, addModel(5));
  const m = { name: 'm', base_path: base, model_platform: 'tensorflow' };
  const other = { name: 'other', base_path: join(folder, 'other'), model_platform: 'tensorflow' };
  const reload = async (...config: object[]) =>
    client.call('HandleReloadConfigRequest', { config: { model_config_list: { config } } });

  const all = { ...m, model_version_policy: { all: {} } };
  assert.deepEqual(await reload(all, other), { status: { error_code: 'OK', error_message: '' } });
  assert.deepEqual(await client.predictY('other', [0]), [5]);
  await until(async () => (await client.states('m')).filter(([, state]) => state === 'AVAILABLE').length === 2);

  await reload({ ...all, version_labels: { stable: 1 } });
  assert.deepEqual(await client.predictY('m', [0], { spec: { version_label: 'stable' } }), [1]);
  await until(async () => (await client.states('other'))[0]?.[1] === 'END');

  await reload(all, other);
  assert.deepEqual(await client.predictY('other', [0]), [5]);

  const unavailable = 'Request to assign label to version 7 of model m, which is not currently available for inference';
  await assert.rejects(
    reload({ ...all, version_labels: { stable: 7 } }),
    refusal(status.FAILED_PRECONDITION, unavailable),
  );
  const twice = 'Illegal to list model m multiple times in config list';
  await assert.rejects(reload(m, m), refusal(status.INVALID_ARGUMENT, twice));
  const kind =
    'ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported';
  await assert.rejects(client.call('HandleReloadConfigRequest', {}), refusal(status.INVALID_ARGUMENT, kind));
  const broken = join(folder, 'broken');
  mkdirSync(join(broken, '1'), { recursive: true });
  await assert.rejects(reload(all, { ...other, name: 'broken', base_path: broken }), {
    code: status.UNKNOWN,
    details: /^1 model\(s\) did not become available: \{\{\{name: broken version: 1\} due to error: NOT_FOUND: /,
  });
  assert.deepEqual(await client.predictY('m', [0]), [2]);
});

test('Predict works while the list of models is replaced', async (t) => {
  const { folder, base } = baseOf(t);
  const { client } = await startServer(t, folder, ...flagsFor(base));
  const config = [{ name: 'm', base_path: base, model_platform: 'tensorflow' }];
  let reloading = true;
  const asking = (async () => {
    while (reloading) assert.deepEqual(await client.predictY('m', [0]), [1]);
  })();
  const reload = () => client.call('HandleReloadConfigRequest', { config: { model_config_list: { config } } });
  await Promise.all(Array.from({ length: 10 }, reload));
  reloading = false;
  await asking;
  assert.deepEqual(await client.predict('m', { x: floats([]) }).then(({ outputs }) => outputs.y?.float_val), []);
});
