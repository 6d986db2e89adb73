/** Models unlike the clothing model: one that takes tables beside one that takes images, and one with batch size 1. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { addVersion, onnxModel, pixelModels } from '../serving/embedded/testing/onnx-models.ts';
import { predict, predictImage, startGatewayFor } from './gateway.ts';
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

test('a model that takes no pictures is ready and unproven, and refuses pictures', async (t) => {
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
  const refused = await predictImage(gateway, await readFile(PICTURE), {}, '?model=churn');
  const { kind, detail } = (await refused.json()) as { kind: string; detail: string };
  assert.deepEqual([refused.status, kind], [400, 'invalid_request']);
  assert.equal(detail, 'model: churn takes records as JSON, not images');
});

test('a model with batch size 1 gets one Predict for each instance', async (t) => {
  const MODELS = await modelsFolder(t, {
    single: 'name: single\nimage: {size: [2, 2], scale: none, layout: NCHW}\nclasses: [a, b, c]\n',
  });
  const single = onnxModel({
    inputs: [{ name: 'image', shape: [1, 3, 2, 2] }],
    outputs: [{ name: 'means', shape: [1, 3] }],
    nodes: [
      ['GlobalAveragePool', ['image'], 'pooled'],
      ['Flatten', ['pooled'], 'means'],
    ],
  });
  addVersion(path.join(MODELS, 'single'), 4, single);
  const gateway = await startGatewayFor(t, { MODELS });
  await gateway.ready();
  const pixel = async (color: string) => {
    const picture = sharp({ create: { width: 2, height: 2, channels: 3, background: color } });
    return { b64: (await picture.png().toBuffer()).toString('base64') };
  };
  const instances = [await pixel('#010203'), { b64: 'AAAA' }, await pixel('#0a0b0c')];
  const answer = await predict(gateway, { instances });
  const { predictions } = (await answer.json()) as { predictions: [object, { error: { kind: string } }, object] };
  assert.deepEqual([answer.status, answer.headers.get('X-Model-Version')], [200, '4']);
  assert.deepEqual(
    [predictions[0], predictions[2]],
    [1, 10].map((first) => ({ a: first, b: first + 1, c: first + 2 })),
  );
  assert.equal(predictions[1].error.kind, 'image_unreadable');
});
