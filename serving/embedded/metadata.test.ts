import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { GetModelMetadataResponse, SignatureDef } from './protocol.ts';
import { addVersion, echoModel, onnxModel } from './testing/onnx-models.ts';
import { refusal, startServer, temporaryFolder } from './testing/server.ts';

const folder = temporaryFolder({ after });
addVersion(
  join(folder, 'm'),
  4,
  onnxModel({
    inputs: [
      { name: 'image', shape: ['batch', 299, 299, 3] },
      { name: 'ids', type: 'INT64', shape: [1, 'length'] },
    ],
    outputs: [
      { name: 'same', shape: ['batch', 299, 299, 3] },
      { name: 'ids_out', type: 'INT64', shape: [1, 'length'] },
    ],
    nodes: [
      ['Identity', ['image'], 'same'],
      ['Identity', ['ids'], 'ids_out'],
    ],
  }),
  { serving_uint8: echoModel('UINT8', ['n', 2]), any: echoModel('BFLOAT16'), one: echoModel('STRING', []) },
);
const { client } = await startServer({ after }, folder, '--model_name=m', `--model_base_path=${join(folder, 'm')}`);

async function metadata(name: string, ...fields: string[]): Promise<GetModelMetadataResponse> {
  return client.call('GetModelMetadata', { model_spec: { name }, metadata_field: fields });
}

/** Decodes the Any field with the .proto files, independently of the server's code. */
function unpack({ type_url: url, value }: { type_url: string; value: Buffer }): Record<string, SignatureDef> {
  assert.equal(url, 'type.googleapis.com/tensorflow.serving.SignatureDefMap');
  const includeDirs = [new URL('../../protos', import.meta.url).pathname];
  const file = 'tensorflow_serving/apis/get_model_metadata.proto';
  const definition = loadSync(file, { includeDirs, keepCase: true, longs: Number, enums: String });
  const { deserialize } = definition['tensorflow.serving.SignatureDefMap'] as never as {
    deserialize(bytes: Buffer): { signature_def: Record<string, SignatureDef> };
  };
  return deserialize(value).signature_def;
}

test('a signature has the inputs and outputs of its graph', async () => {
  const { model_spec: spec, metadata: fields } = await metadata('m', 'signature_def');
  assert.deepEqual(spec, { name: 'm', version: { value: '4' }, signature_name: '' });
  assert.ok(fields.signature_def);
  const dims = (...sizes: number[]) => ({ dim: sizes.map((size) => ({ size })) });
  assert.deepEqual(unpack(fields.signature_def), {
    serving_default: {
      inputs: {
        image: { name: 'image:0', dtype: 'DT_FLOAT', tensor_shape: dims(-1, 299, 299, 3) },
        ids: { name: 'ids:0', dtype: 'DT_INT64', tensor_shape: dims(1, -1) },
      },
      outputs: {
        same: { name: 'same:0', dtype: 'DT_FLOAT', tensor_shape: dims(-1, 299, 299, 3) },
        ids_out: { name: 'ids_out:0', dtype: 'DT_INT64', tensor_shape: dims(1, -1) },
      },
      method_name: 'tensorflow/serving/predict',
    },
    serving_uint8: {
      inputs: { x: { name: 'x:0', dtype: 'DT_UINT8', tensor_shape: dims(-1, 2) } },
      outputs: { y: { name: 'y:0', dtype: 'DT_UINT8', tensor_shape: dims(-1, 2) } },
      method_name: 'tensorflow/serving/predict',
    },
    any: {
      inputs: { x: { name: 'x:0', dtype: 'DT_BFLOAT16', tensor_shape: { unknown_rank: true } } },
      outputs: { y: { name: 'y:0', dtype: 'DT_BFLOAT16', tensor_shape: { unknown_rank: true } } },
      method_name: 'tensorflow/serving/predict',
    },
    one: {
      inputs: { x: { name: 'x:0', dtype: 'DT_STRING', tensor_shape: {} } },
      outputs: { y: { name: 'y:0', dtype: 'DT_STRING', tensor_shape: {} } },
      method_name: 'tensorflow/serving/predict',
    },
  });
});

test('unsupported metadata fields, unknown models and requests without ModelSpec are refused', async () => {
  const other = 'Metadata field other is not supported';
  await assert.rejects(metadata('m', 'signature_def', 'other'), refusal(status.INVALID_ARGUMENT, other));
  const none = 'GetModelMetadataRequest must specify at least one metadata_field';
  await assert.rejects(metadata('m'), refusal(status.INVALID_ARGUMENT, none));
  const missing = 'Servable not found for request: Latest(none)';
  await assert.rejects(metadata('none', 'signature_def'), refusal(status.NOT_FOUND, missing));
  await assert.rejects(client.call('GetModelMetadata', {}), refusal(status.INVALID_ARGUMENT, 'Missing ModelSpec'));
});

test('GetModelStatus returns one version or all; unknown ones are NOT_FOUND', async () => {
  assert.deepEqual(await client.states('m'), [[4, 'AVAILABLE']]);
  assert.deepEqual(await client.states('m', 4), [[4, 'AVAILABLE']]);
  const version = 'Could not find version 3 of model m';
  await assert.rejects(client.states('m', 3), refusal(status.NOT_FOUND, version));
  const model = 'Could not find any versions of model none';
  await assert.rejects(client.states('none'), refusal(status.NOT_FOUND, model));
  await assert.rejects(client.call('GetModelStatus', {}), refusal(status.INVALID_ARGUMENT, 'Missing ModelSpec'));
});
