import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readBatchingParameters } from './batching-parameters.ts';
import { modelConfigs, readModelConfigFile } from './model-config.ts';
import { temporaryFolder } from './testing/server.ts';

const VALID = { name: 'a', base_path: '/a', model_platform: 'tensorflow' };

test('a file with every supported field', async (t) => {
  const file = join(temporaryFolder(t), 'models.config');
  writeFileSync(
    file,
    `model_config_list {
      config { name: "a" base_path: "/a" model_platform: "tensorflow" }
      config {
        name: 'b', base_path: '/b', model_platform: 'tensorflow'
        model_version_policy { specific { versions: 1 versions: 2 } }
        version_labels { key: "stable" value: 1 }
        version_labels { key: "canary" value: 2 }
      }
      config { name: "c" base_path: "/c" model_platform: "tensorflow" model_version_policy { latest { num_versions: 3 } } }
      config { name: "d" base_path: "/d" model_platform: "tensorflow" model_version_policy { all {} } }
    }`,
  );
  assert.deepEqual(await readModelConfigFile(file), [
    { name: 'a', basePath: '/a', policy: { kind: 'latest', count: 1 }, labels: new Map() },
    {
      name: 'b',
      basePath: '/b',
      policy: { kind: 'specific', versions: new Set([1, 2]) },
      labels: new Map([
        ['stable', 1],
        ['canary', 2],
      ]),
    },
    { name: 'c', basePath: '/c', policy: { kind: 'latest', count: 3 }, labels: new Map() },
    { name: 'd', basePath: '/d', policy: { kind: 'all' }, labels: new Map() },
  ]);
});

test('a missing or invalid file is refused', async (t) => {
  const file = join(temporaryFolder(t), 'models.config');
  const missing = { code: 'NOT_FOUND', message: `${file}; No such file or directory` };
  await assert.rejects(readModelConfigFile(file), missing);
  writeFileSync(file, 'model_config_list {');
  const message = `Invalid protobuf file: '${file}': line 1: expected a field name, found the end`;
  await assert.rejects(readModelConfigFile(file), { code: 'INVALID_ARGUMENT', message });
});

const REFUSED: [object[], string][] = [
  [[VALID, VALID], 'Illegal to list model a multiple times in config list'],
  [[{ ...VALID, base_path: 'some' }], 'Expected model a to have an absolute path or URI; got base_path()=some'],
  [[{ ...VALID, model_platform: 'onnx' }], 'Model a requests unsupported platform onnx'],
  [
    [{ ...VALID, model_platform: '' }],
    'Illegal setting neither ModelServerConfig::model_type (deprecated) nor ModelServerConfig::model_platform, ' +
      'model name is a',
  ],
];
for (const [list, message] of REFUSED) {
  test(`refused: ${message}`, () => assert.throws(() => modelConfigs(list), { code: 'INVALID_ARGUMENT', message }));
}

test('int64 as strings and empty fields as null, as in decoded messages, are accepted', () => {
  const policy = { specific: { versions: ['7'] } };
  const [config] = modelConfigs([{ ...VALID, model_version_policy: policy, version_labels: { stable: '7' } }]);
  assert.deepEqual(config?.policy, { kind: 'specific', versions: new Set([7]) });
  assert.deepEqual(config?.labels, new Map([['stable', 7]]));
  assert.deepEqual(modelConfigs([{ ...VALID, model_version_policy: null }])[0]?.policy, { kind: 'latest', count: 1 });
});

test('batching parameters are read from a file, with TF-Serving’s defaults, and validated', async (t) => {
  const file = join(temporaryFolder(t), 'batching.config');
  assert.deepEqual(await readBatchingParameters(''), { maxBatchSize: 1000, timeoutMs: 0 });
  writeFileSync(
    file,
    'max_batch_size { value: 8 } batch_timeout_micros { value: 1500 } num_batch_threads { value: 2 }',
  );
  assert.deepEqual(await readBatchingParameters(file), { maxBatchSize: 8, timeoutMs: 1.5 });
  writeFileSync(file, 'max_batch_size { value: 0 }');
  await assert.rejects(readBatchingParameters(file), { code: 'INVALID_ARGUMENT', message: /max_batch_size/ });
});
