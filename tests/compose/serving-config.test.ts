/** The configuration files of the TF-Serving image, read with the parsers of the embedded server. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../../gateway/config/read.ts';
import { readCards } from '../../gateway/model/folders.ts';
import { readBatchingParameters } from '../../serving/embedded/batching-parameters.ts';
import { readModelConfigFile } from '../../serving/embedded/model-config.ts';

const SERVING = fileURLToPath(new URL('../../serving', import.meta.url));
const MODELS = path.join(SERVING, 'models');
const models = await readModelConfigFile(path.join(MODELS, 'models.config'));

test('models.config lists the models of the gateway with their folders in the image', async () => {
  const cards = await readCards(MODELS);
  assert.deepEqual(models.map(({ name }) => name).sort(), [...cards.keys()].sort());
  for (const { name, basePath } of models) assert.equal(basePath, `/models/${name}`);
});

test('every label names an existing version that stays loaded', () => {
  for (const { name, policy, labels } of models) {
    for (const [label, version] of labels) {
      assert.ok(existsSync(path.join(MODELS, name, `${version}`)), `${label} of ${name} is version ${version}`);
      assert.equal(policy.kind, 'all');
    }
  }
});

test('max_batch_size is MAX_INSTANCES: the largest request fits into one batch', async () => {
  const { maxBatchSize } = await readBatchingParameters(path.join(SERVING, 'batching.config'));
  assert.equal(maxBatchSize, readConfig({}, {}).maxInstances);
});
