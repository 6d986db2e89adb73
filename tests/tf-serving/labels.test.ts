/** Labels and version policies of the embedded server beside TensorFlow: the same states, errors and answers after each reload. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { type ServiceError, status } from '@grpc/grpc-js';
import { addModel, addVersion } from '../../serving/embedded/testing/onnx-models.ts';
import { startServer, TestClient, temporaryFolder, until } from '../../serving/embedded/testing/server.ts';
import { findPython, makeModels, startTensorFlowServing } from './server.ts';

const python = await findPython();

/** A server, and the folder of its model `versions`, which has the versions 1, 2 and 3: y is x + version. */
type Server = { readonly client: TestClient; readonly basePath: string };

async function startBoth(t: TestContext, program: string): Promise<readonly [Server, Server]> {
  const saved = await makeModels(program, 'versions');
  t.after(() => rmSync(saved, { recursive: true }));
  const server = await startTensorFlowServing(program, saved, { names: ['versions'], flags: [] });
  t.after(server.stop);
  const tensorflow = new TestClient(server.target);
  t.after(() => tensorflow.close());

  const folder = temporaryFolder(t);
  const basePath = join(folder, 'versions');
  for (const version of [1, 2, 3]) addVersion(basePath, version, addModel(version));
  const config = join(folder, 'models.config');
  const fields = `name: "versions" base_path: "${basePath}" model_platform: "tensorflow" model_version_policy { all {} }`;
  writeFileSync(config, `model_config_list { config { ${fields} version_labels { key: "stable" value: 1 } } }`);
  const flags = ['--allow_version_labels_for_unavailable_models', `--model_config_file=${config}`];
  const { client: embedded } = await startServer(t, folder, ...flags);
  return [
    { client: embedded, basePath },
    { client: tensorflow, basePath: join(saved, 'versions') },
  ];
}

/** The answer, or the code and the text of the error. */
async function outcomeOf(work: Promise<unknown>): Promise<unknown> {
  return work.catch(({ code, details }: ServiceError) => `${status[code]} ${details}`);
}

type Config = { readonly model_version_policy?: object; readonly version_labels?: Readonly<Record<string, number>> };

function reload({ client, basePath }: Server, config: Config): Promise<unknown> {
  const model = { name: 'versions', base_path: basePath, model_platform: 'tensorflow', ...config };
  return outcomeOf(client.call('HandleReloadConfigRequest', { config: { model_config_list: { config: [model] } } }));
}

const LABELS = ['stable', 'next', 'early'];

/** What 0 becomes with each label, and without one. */
async function answersOf({ client }: Server): Promise<unknown[]> {
  const specs = [{}, ...LABELS.map((label) => ({ version_label: label }))];
  return Promise.all(specs.map((spec) => outcomeOf(client.predictY('versions', [0], { spec }))));
}

const all = { all: {} };
const STEPS: readonly (readonly [string, Config, readonly number[]])[] = [
  ['a label of an available version', { model_version_policy: all, version_labels: { stable: 1, next: 3 } }, [3, 2, 1]],
  ['a label that moves', { model_version_policy: all, version_labels: { stable: 1, next: 2 } }, [3, 2, 1]],
  [
    'a label that moves to no version',
    { model_version_policy: all, version_labels: { stable: 9, next: 2 } },
    [3, 2, 1],
  ],
  ['a new label of no version', { model_version_policy: all, version_labels: { stable: 1, early: 9 } }, [3, 2, 1]],
  [
    'the policy latest, which unloads a labelled version',
    { model_version_policy: { latest: { num_versions: 2 } }, version_labels: { stable: 1, next: 3 } },
    [3, 2],
  ],
  ['a label of a version that is unloaded', { version_labels: { stable: 1, next: 3 } }, [3]],
  ['the policy specific, without labels', { model_version_policy: { specific: { versions: [1, 3] } } }, [3, 1]],
  [
    'labels of what specific loads',
    { model_version_policy: { specific: { versions: [1, 2] } }, version_labels: { stable: 1, next: 2 } },
    [2, 1],
  ],
];

test('labels and policies: the embedded server does as TensorFlow Serving', {
  skip: 'missing' in python ? python.missing : false,
}, async (t) => {
  assert.ok('program' in python);
  const [embedded, tensorflow] = await startBoth(t, python.program);
  for (const [name, config, loaded] of STEPS) {
    const [ours, theirs] = await Promise.all([reload(embedded, config), reload(tensorflow, config)]);
    assert.deepEqual(ours, theirs, name);
    for (const { client } of [embedded, tensorflow]) {
      await until(async () => {
        const states = await client.states('versions');
        return isDeepStrictEqual(
          states.filter(([, state]) => state === 'AVAILABLE').map(([version]) => version),
          loaded,
        );
      });
    }
    assert.deepEqual(await answersOf(embedded), await answersOf(tensorflow), name);
  }
});
