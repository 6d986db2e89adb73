/** The files that TF-Serving's image is configured by, read as the embedded server reads them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../../gateway/config.ts';
import { readCards } from '../../gateway/model/card.ts';
import { readBatchingParameters } from '../../serving/embedded/batching-parameters.ts';
import { readModelConfigFile } from '../../serving/embedded/model-config.ts';

const SERVING = fileURLToPath(new URL('../../serving', import.meta.url));
const MODELS = path.join(SERVING, 'models');
const models = await readModelConfigFile(path.join(MODELS, 'models.config'));

test('models.config lists the models that the gateway knows, where the image has them', async () => {
  const cards = await readCards(MODELS);
  assert.deepEqual(models.map(({ name }) => name).sort(), [...cards.keys()].sort());
  for (const { name, basePath } of models) assert.equal(basePath, `/models/${name}`);
});

test('every label is of a version that is there and stays loaded', () => {
  for (const { name, policy, labels } of models) {
    for (const [label, version] of labels) {
      assert.ok(existsSync(path.join(MODELS, name, `${version}`)), `${label} of ${name} is version ${version}`);
      assert.equal(policy.kind, 'all');
    }
  }
});

test('the largest request that the gateway takes fits into one batch', async () => {
  const { maxBatchSize } = await readBatchingParameters(path.join(SERVING, 'batching.config'));
  assert.equal(maxBatchSize, readConfig({}, {}).maxInstances);
});
