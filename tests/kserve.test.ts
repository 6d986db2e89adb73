/** The gateway as a transformer of KServe: started with the arguments that KServe appends, in front of a predictor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PICTURE } from './committed-model.ts';
import { startGateway } from './gateway.ts';
import { isWarmUp, startClothingModel } from './model-server.ts';
import { CLASSES, modelsFolder } from './models.ts';

test('pictures are converted and sent to the predictor, for the model that KServe names', async (t) => {
  const predictor = await startClothingModel();
  t.after(() => predictor.close());
  const args = ['--model_name', 'clothing-model', '--predictor_host', predictor.target, '--http_port', '0'];
  // PORT=1 cannot be listened on: the argument has to win.
  const settings = { MODELS: await modelsFolder(t), PORT: '1', TF_SERVING_HOST: '127.0.0.1:1' };
  const gateway = await startGateway(settings, undefined, [...args, '--predictor_protocol', 'v1', '--workers', '2']);
  t.after(async () => assert.equal(await gateway.stop(), 0));
  await gateway.ready();
  const response = await fetch(`${gateway.url}/invocations`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ instances: [{ b64: PICTURE.toString('base64') }] }),
  });
  const predictions = [Object.fromEntries(CLASSES.map((name) => [name, 1]))];
  assert.deepEqual([response.status, await response.json()], [200, { predictions }]);
  assert.equal(predictor.calls.filter((call) => !isWarmUp(call)).length, 1);
});
