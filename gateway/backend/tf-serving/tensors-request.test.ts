import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import type { TensorsTarget } from '../../domain/backend.ts';
import { stringTensor } from '../../domain/strings.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { createPool } from '../../tensor/pool.ts';
import { frameTensors } from '../grpc/tensors-request.ts';
import { PREDICT } from './backend.ts';

const PROTOS = fileURLToPath(new URL('../../../protos', import.meta.url));
const definitions = loadSync('tensorflow_serving/apis/predict.proto', {
  includeDirs: [PROTOS],
  keepCase: true,
  enums: String,
  longs: Number,
});
const { deserialize } = definitions['tensorflow.serving.PredictRequest'] as MessageTypeDefinition<object, object>;

const TARGET: TensorsTarget = {
  servable: { model: 'churn', version: 7 },
  signature: 'serving_default',
  answer: { outputs: ['churn', 'probability'], wantedElements: 2, elements: 2 },
};

test('every input is sent with its dtype, shape and bytes, and only the wanted outputs are asked for', async () => {
  const inputs = new Map<string, Tensor>([
    ['tenure', { dtype: 'DT_INT64', shape: [2, 1], bytes: new Uint8Array(BigInt64Array.of(-1n, 2n ** 62n).buffer) }],
    ['contract', stringTensor([2], [Buffer.from('two_year'), Buffer.of(0xff, 0)])],
    ['scale', { dtype: 'DT_HALF', shape: [], bytes: Uint8Array.of(0, 0x3c) }],
    ['nothing', { dtype: 'DT_FLOAT', shape: [0, 300], bytes: new Uint8Array() }],
  ]);
  const { framed } = await frameTensors(PREDICT, createPool(0), TARGET, inputs);
  assert.equal(framed.readUInt32BE(1), framed.length - 5);
  assert.deepEqual(deserialize(framed.subarray(5)), {
    model_spec: { name: 'churn', version: { value: 7 }, signature_name: 'serving_default' },
    inputs: {
      tenure: {
        dtype: 'DT_INT64',
        tensor_shape: { dim: [{ size: 2 }, { size: 1 }] },
        tensor_content: Buffer.from(BigInt64Array.of(-1n, 2n ** 62n).buffer),
      },
      contract: {
        dtype: 'DT_STRING',
        tensor_shape: { dim: [{ size: 2 }] },
        string_val: [Buffer.from('two_year'), Buffer.of(0xff, 0)],
      },
      scale: { dtype: 'DT_HALF', tensor_shape: {}, tensor_content: Buffer.of(0, 0x3c) },
      nothing: { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: 0 }, { size: 300 }] }, tensor_content: Buffer.of() },
    },
    output_filter: ['churn', 'probability'],
  });
});

test('tensors above the message limit are refused before memory is taken', async () => {
  const strings = Array.from({ length: 30 }, () => new Uint8Array(10 * 2 ** 20));
  const inputs = new Map<string, Tensor>([['x', stringTensor([30], strings)]]);
  await assert.rejects(frameTensors(PREDICT, createPool(0), TARGET, inputs), { kind: 'body_too_large' });
});
