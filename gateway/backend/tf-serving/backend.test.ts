import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { connect, SMALL, serve } from '../../../tests/backend.ts';
import type { RequestContext } from '../../domain/request.ts';

test('a Predict sends model, signature and tensor, and its response is read', async (t) => {
  const server = await serve(t);
  const { backend, statuses } = await connect(t, server.target);
  const call = backend.prepare({ ...SMALL, servable: { model: 'm', version: 3 } }, 4);
  call.tensor.set([1, 2, 3, 4, 5, 6]);
  const context = { deadlineMs: performance.now() + 5000, signal: new AbortController().signal } as RequestContext;
  const { version, outputs } = await call.send(3, context);
  assert.equal(version, 1);
  const bytes = new Uint8Array(Float32Array.of(1, 2).buffer);
  assert.deepEqual(outputs.get('dense_7'), { dtype: 'DT_FLOAT', shape: [1, 2], bytes });
  const [{ spec, inputs } = assert.fail()] = server.calls;
  assert.equal(spec.name, 'm');
  assert.equal(spec.signature_name, 'serving_default');
  assert.equal(spec.version?.value, '3');
  assert.deepEqual(inputs.input_8?.shape, [3, 2]);
  assert.deepEqual(inputs.input_8?.tensor_content, Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer));
  assert.deepEqual(statuses, ['Predict OK']);
});

test('metadata and status are read', async (t) => {
  const server = await serve(t);
  const { backend, statuses } = await connect(t, server.target);
  const { version, signatures } = await backend.metadata({ model: 'clothing-model' }, new AbortController().signal);
  assert.equal(version, 1);
  assert.deepEqual(signatures.get('serving_default'), {
    inputs: [{ name: 'input_8', dtype: 'DT_FLOAT', shape: [-1, 299, 299, 3] }],
    outputs: [{ name: 'dense_7', dtype: 'DT_FLOAT', shape: [-1, 10] }],
  });
  const versions = await backend.status('clothing-model', new AbortController().signal);
  assert.deepEqual(versions, [{ version: 1, state: 'AVAILABLE', error: '' }]);
  assert.deepEqual(statuses, ['GetModelMetadata OK', 'GetModelStatus OK']);
});
