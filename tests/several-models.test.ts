/** A model of tables beside the photos' model: both are watched, and pictures find theirs. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { addVersion, onnxModel, pixelModels } from '../serving/embedded/testing/onnx-models.ts';
import { predict, startGatewayFor } from './gateway.ts';
import { modelsFolder } from './models.ts';

const PHOTOS = 'name: photos\nimage: {size: [299, 299], scale: tf}\nclasses: [a, b]\n';
const PICTURE = new URL('../serving/models/clothing-model/parity/palette.png', import.meta.url);
const b64 = (await readFile(PICTURE)).toString('base64');

const churn = onnxModel({
  inputs: [
    { name: 'tenure', type: 'INT64', shape: ['n'] },
    { name: 'contract', type: 'STRING', shape: ['n'] },
  ],
  outputs: [
    { name: 'months', type: 'INT64', shape: ['n'] },
    { name: 'kind', type: 'STRING', shape: ['n'] },
  ],
  nodes: [
    ['Identity', ['tenure'], 'months'],
    ['Identity', ['contract'], 'kind'],
  ],
});

test('a model that takes no pictures is ready and unproven, and /predict is not for it', async (t) => {
  const MODELS = await modelsFolder(t, { churn: 'name: churn\n', photos: PHOTOS });
  addVersion(path.join(MODELS, 'churn'), 3, churn);
  addVersion(path.join(MODELS, 'photos'), 1, pixelModels(new Float32Array(299 * 299 * 3 * 2)).model);
  const gateway = await startGatewayFor(t, { MODELS });
  await gateway.ready();

  const { models } = (await (await fetch(`${gateway.url}/health/ready`)).json()) as { models: Record<string, object> };
  assert.deepEqual(models.churn, {
    ready: true,
    version: 3,
    parity: { state: 'unproven', detail: 'the model takes tensors: there are no pictures to replay' },
  });
  const answer = await predict(gateway, { b64 });
  assert.deepEqual([answer.status, await answer.json()], [200, { a: 0, b: 0 }]);
  const refused = await predict(gateway, { b64 }, '?model=churn');
  const { kind, detail } = (await refused.json()) as { kind: string; detail: string };
  assert.deepEqual([refused.status, kind], [400, 'invalid_request']);
  assert.equal(detail, 'query model: churn takes tensors, not images; for images: photos');
});
