import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../../tests/tf-serving/server.ts';
import { addModel, addVersion } from './testing/onnx-models.ts';
import { startServer, temporaryFolder } from './testing/server.ts';

test('F30: --rest_api_port answers the metrics with the Predict calls of each model', async (t) => {
  const folder = temporaryFolder(t);
  addVersion(join(folder, 'm'), 1, addModel(1));
  const port = await freePort();
  const model = ['--model_name=m', `--model_base_path=${join(folder, 'm')}`];
  const { client } = await startServer(t, folder, ...model, `--rest_api_port=${port}`);
  assert.deepEqual(await client.predictY('m', [0]), [1]);
  await assert.rejects(client.predict('m', {}));
  await assert.rejects(client.predict('unknown', {}));

  const metrics = await fetch(`http://127.0.0.1:${port}/monitoring/prometheus/metrics`);
  assert.equal(metrics.status, 200);
  assert.deepEqual((await metrics.text()).split('\n').slice(1, -1), [
    ':tensorflow:serving:request_count{model_name="m",status="OK"} 1',
    ':tensorflow:serving:request_count{model_name="m",status="INVALID_ARGUMENT"} 1',
  ]);
  assert.equal((await fetch(`http://127.0.0.1:${port}/v1/models/m`)).status, 404);
});
