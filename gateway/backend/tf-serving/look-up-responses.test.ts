import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { GatewayError } from '../../errors.ts';
import { readMetadata, readStatus } from './look-up-responses.ts';

const PROTOS = fileURLToPath(new URL('../../../protos', import.meta.url));
const FILES = ['get_model_metadata', 'get_model_status'].map((name) => `tensorflow_serving/apis/${name}.proto`);
const definitions = loadSync(FILES, { includeDirs: [PROTOS], keepCase: true });
const messageOf = (name: string) => definitions[`tensorflow.serving.${name}`] as MessageTypeDefinition<object, object>;

const statusOf = (versions: readonly object[]) =>
  messageOf('GetModelStatusResponse').serialize({ model_version_status: versions });

function metadataOf(signature_def: object, version: unknown = 3): Buffer {
  const value = messageOf('SignatureDefMap').serialize({ signature_def });
  const model_spec = { name: 'm', version: { value: version } };
  return messageOf('GetModelMetadataResponse').serialize({ model_spec, metadata: { signature_def: { value } } });
}

const fails = (error: unknown) => error instanceof GatewayError && error.kind === 'model_failed';
const fixed = { name: 'x:0', dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: -1 }, { size: 3, name: 'axis' }] } };

test('signatures have the names, dtypes and shapes of their tensors', () => {
  const { version, signatures } = readMetadata(
    metadataOf({
      serving_default: {
        inputs: {
          x: fixed,
          any: { dtype: 'DT_QINT8', tensor_shape: { unknown_rank: true } },
          none: { dtype: 'DT_STRING' },
        },
        outputs: { __proto__x: { ...fixed, dtype: 'DT_HALF', tensor_shape: {} } },
        method_name: 'tensorflow/serving/predict',
      },
      empty: {},
    }),
  );
  assert.equal(version, 3);
  assert.deepEqual([...signatures.keys()].sort(), ['empty', 'serving_default']);
  assert.deepEqual(signatures.get('empty'), { inputs: [], outputs: [] });
  assert.deepEqual(signatures.get('serving_default'), {
    inputs: [
      { name: 'x', dtype: 'DT_FLOAT', shape: [-1, 3] },
      { name: 'any', dtype: 'DT_QINT8', shape: null },
      { name: 'none', dtype: 'DT_STRING', shape: null },
    ],
    outputs: [{ name: '__proto__x', dtype: 'DT_HALF', shape: [] }],
  });
});

test('the states of all versions are read, and the text of an error', () => {
  const response = statusOf([
    { version: '1754000000000', state: 'AVAILABLE', status: {} },
    { version: 3, state: 'END', status: { error_code: 'INTERNAL', error_message: 'no such file' } },
    { state: 77 },
  ]);
  assert.deepEqual(readStatus(response), [
    { version: 1_754_000_000_000, state: 'AVAILABLE', error: '' },
    { version: 3, state: 'END', error: 'no such file', code: 'INTERNAL' },
    { version: 0, state: 'UNKNOWN', error: '' },
  ]);
});

test('A18: version -5 is refused', () => {
  assert.throws(() => readMetadata(metadataOf({}, -5)), fails);
  assert.throws(() => readStatus(statusOf([{ version: -5, state: 'AVAILABLE' }])), fails);
});

test('A03: thousands of versions are read, and more of an error text is not kept', (t) => {
  const versions = Array.from({ length: 9000 }, (_, version) => ({ version, state: 'END', status: {} }));
  const failed = { version: 1, state: 'END', status: { error_message: 'x'.repeat(50_000) } };
  const response = statusOf([...versions, failed]);
  const startMs = performance.now();
  const read = readStatus(response);
  t.diagnostic(`came: ${read.length} versions in ${(performance.now() - startMs).toFixed(1)} ms`);
  assert.equal(read.length, 9001);
  assert.equal(read.at(-1)?.error.length, 1000);
});

test('A03: a megabyte of fields is refused after a bounded number of them', (t) => {
  const megabyte = Buffer.alloc(2 ** 20, Buffer.of(0x0a, 0));
  const dims = { dim: Array.from({ length: 300 }, () => ({})) };
  const startMs = performance.now();
  assert.throws(() => readStatus(megabyte), fails);
  assert.throws(() => readMetadata(megabyte), fails);
  assert.throws(() => readMetadata(metadataOf({ a: { inputs: { x: { ...fixed, tensor_shape: dims } } } })), fails);
  t.diagnostic(`came: model_failed after ${(performance.now() - startMs).toFixed(1)} ms`);
});
