import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { TensorProto } from './protocol.ts';
import {
  addModel,
  addVersion,
  type ElementType,
  echoModel,
  onnxModel,
  pairModel,
  slowModel,
} from './testing/onnx-models.ts';
import { floats, refusal, startServer, temporaryFolder } from './testing/server.ts';

const ECHOED: Record<string, ElementType> = {
  DT_FLOAT: 'FLOAT',
  DT_DOUBLE: 'DOUBLE',
  DT_HALF: 'FLOAT16',
  DT_BFLOAT16: 'BFLOAT16',
  DT_INT8: 'INT8',
  DT_INT16: 'INT16',
  DT_INT32: 'INT32',
  DT_INT64: 'INT64',
  DT_UINT8: 'UINT8',
  DT_UINT16: 'UINT16',
  DT_UINT32: 'UINT32',
  DT_UINT64: 'UINT64',
  DT_BOOL: 'BOOL',
  DT_STRING: 'STRING',
};

const folder = temporaryFolder({ after });
const models: Record<string, Buffer[]> = {
  versions: [addModel(1), addModel(2)],
  image: [echoModel('FLOAT', ['n', 2, 3])],
  scalar: [echoModel('FLOAT', [])],
  any: [echoModel('BFLOAT16')],
  pair: [pairModel()],
  slow: [slowModel()],
  // x + z fails only at run time, if the lengths differ.
  sum: [
    onnxModel({
      inputs: ['x', 'z'].map((name) => ({ name, shape: [`${name}s`] })),
      outputs: [{ name: 'y', shape: ['n'] }],
      nodes: [['Add', ['x', 'z'], 'y']],
    }),
  ],
};
for (const [dtype, type] of Object.entries(ECHOED)) models[dtype] = [echoModel(type, ['n', 2])];
const configs = Object.entries(models).map(([name, versions]) => {
  for (const [at, model] of versions.entries()) addVersion(join(folder, name), at + 1, model);
  const labels = 'version_labels { key: "stable" value: 1 } version_labels { key: "canary" value: 2 }';
  return `config { name: "${name}" base_path: "${join(folder, name)}" model_platform: "tensorflow"
    model_version_policy { all {} } ${name === 'versions' ? labels : ''} }\n`;
});
writeFileSync(join(folder, 'models.config'), `model_config_list { ${configs.join('')} }`);
const { client } = await startServer(
  { after },
  folder,
  `--model_config_file=${join(folder, 'models.config')}`,
  '--allow_version_labels_for_unavailable_models',
  '--grpc_max_threads=8',
);

test('the response contains model, version and signature, and uses *_val fields', async () => {
  const { model_spec: spec, outputs } = await client.predict('versions', { x: floats([1, 2]) });
  assert.deepEqual(spec, { name: 'versions', version: { value: '2' }, signature_name: 'serving_default' });
  assert.deepEqual(Object.keys(outputs), ['y']);
  assert.deepEqual(outputs.y?.float_val, [3, 4]);
  assert.deepEqual(outputs.y?.tensor_shape?.dim, [{ size: '2', name: '' }]);
  assert.equal(outputs.y?.tensor_content.length, 0);
});

test('a version or label selects the version', async () => {
  const ask = async (spec: object) => (await client.predictY('versions', [0], { spec }))[0];
  assert.equal(await ask({ version: { value: 1 } }), 1);
  assert.equal(await ask({ version_label: 'stable' }), 1);
  assert.equal(await ask({ version_label: 'canary' }), 2);
});

for (const dtype of Object.keys(ECHOED)) {
  const fields = { DT_INT64: 'int64_val', DT_UINT64: 'uint64_val', DT_STRING: 'string_val' } as Record<string, string>;
  test(`${dtype} is accepted and returned`, async () => {
    const { outputs } = await client.predict(dtype, {
      x: { dtype, tensor_shape: { dim: [{ size: 2 }, { size: 2 }] } },
    });
    const sent = outputs.y as TensorProto;
    const field = (fields[dtype] ??
      Object.keys(sent).find((name) => sent[name as 'int_val']?.length === 4)) as 'int_val';
    const values: Record<string, unknown[]> = {
      string_val: ['a', '', 'é', 'b'].map((text) => Buffer.from(text)),
      int64_val: ['1', '-2', '9007199254740993', '0'],
      uint64_val: ['1', '2', '18446744073709551615', '0'],
      bool_val: [true, false, true, true],
    };
    const x = { ...sent, [field]: values[field] ?? [1, 0, 3, 2] } as TensorProto;
    assert.deepEqual((await client.predict(dtype, { x })).outputs.y, x);
  });
}

test('tensor_content and *_val requests give the same outputs', async () => {
  const values = Array.from({ length: 600 }, (_, i) => Math.fround(Math.sin(i)));
  const shape = { dim: [100, 2, 3].map((size) => ({ size })) };
  const inValues = await client.predict('image', { x: { dtype: 'DT_FLOAT', tensor_shape: shape, float_val: values } });
  const inContent = await client.predict('image', { x: floats(values, [100, 2, 3]) });
  assert.deepEqual(inValues.outputs.y?.float_val, values);
  assert.deepEqual(inContent.outputs.y?.float_val, values);
});

test('tensor_content is read at any alignment', async () => {
  // The lengths of the filter and the signature name change the tensor's offset in the message.
  for (const filter of [[], ['y']]) {
    for (const signature_name of ['', 'serving_default']) {
      const y = await client.predictY('versions', [1, 2, 3], { filter, spec: { signature_name } });
      assert.deepEqual(y, [3, 4, 5]);
    }
  }
});

test('a model with several inputs and outputs, with and without an output filter', async () => {
  const inputs = { a: floats([2, 3]), b: floats([5, 7]) };
  const all = await client.predict('pair', inputs);
  assert.deepEqual(Object.keys(all.outputs).sort(), ['product', 'total']);
  assert.deepEqual(all.outputs.product?.float_val, [10, 21]);
  const some = await client.predict('pair', inputs, { filter: ['total'] });
  assert.deepEqual(
    Object.entries(some.outputs).map(([name, { float_val }]) => [name, float_val]),
    [['total', [7, 10]]],
  );
});

test('an empty batch gives empty outputs', async () => {
  const { outputs } = await client.predict('image', { x: floats([], [0, 2, 3]) });
  assert.deepEqual(
    outputs.y?.tensor_shape?.dim.map(({ size }) => size),
    ['0', '2', '3'],
  );
});

test('a scalar input and output', async () => {
  const { outputs } = await client.predict('scalar', { x: floats([4], []) });
  assert.deepEqual([outputs.y?.float_val, outputs.y?.tensor_shape?.dim], [[4], []]);
});

test('a graph without a rank takes any shape', async () => {
  for (const shape of [[], [4], [2, 1, 2]]) {
    const dim = shape.map((size) => ({ size }));
    const bits = [0x3f80, 0x7f80, 0xff80, 0x0001].slice(0, shape.length === 0 ? 1 : 4);
    const { outputs } = await client.predict('any', {
      x: { dtype: 'DT_BFLOAT16', tensor_shape: { dim }, half_val: bits },
    });
    assert.deepEqual(outputs.y?.half_val, bits);
    assert.deepEqual(
      outputs.y?.tensor_shape?.dim.map(({ size }) => Number(size)),
      shape,
    );
  }
});

test('a string may be a picture: all of its bytes come back', async () => {
  const picture = Buffer.from(Array.from({ length: 1024 }, (_, at) => (at * 7) % 256));
  const x = {
    dtype: 'DT_STRING',
    tensor_shape: { dim: [{ size: 1 }, { size: 2 }] },
    string_val: [picture, Buffer.from('é')],
  };
  assert.deepEqual((await client.predict('DT_STRING', { x })).outputs.y?.string_val, x.string_val);
});

test('messages of 64 MB are accepted', async () => {
  const content = Buffer.alloc(64 * 2 ** 20);
  const x = {
    dtype: 'DT_UINT8',
    tensor_shape: { dim: [{ size: content.length / 2 }, { size: 2 }] },
    tensor_content: content,
  };
  const spec = { name: 'DT_UINT8', signature_name: 'none' };
  const call = client.call('Predict', { model_spec: spec, inputs: { x } }, 60_000);
  await assert.rejects(call, refusal(status.FAILED_PRECONDITION, 'Serving signature key "none" not found.'));
});

const x = floats([1]);
const REFUSED: [code: keyof typeof status, text: string, model: string, inputs: object, options?: object][] = [
  ['NOT_FOUND', 'Servable not found for request: Latest(none)', 'none', { x }],
  [
    'NOT_FOUND',
    'Servable not found for request: Specific(versions, 9)',
    'versions',
    { x },
    { spec: { version: { value: 9 } } },
  ],
  [
    'INVALID_ARGUMENT',
    'Unrecognized servable version label: none',
    'versions',
    { x },
    { spec: { version_label: 'none' } },
  ],
  ['INVALID_ARGUMENT', 'ModelSpec has no name specified.', '', { x }],
  [
    'FAILED_PRECONDITION',
    'Serving signature key "none" not found.',
    'versions',
    { x },
    { spec: { signature_name: 'none' } },
  ],
  [
    'INVALID_ARGUMENT',
    'input size does not match signature: 0!=1 len({}) != len({x}). Sent extra: {}. Missing but required: {x}.',
    'versions',
    {},
  ],
  [
    'INVALID_ARGUMENT',
    'input size does not match signature: 2!=1 len({x,z}) != len({x}). Sent extra: {z}. Missing but required: {}.',
    'versions',
    { x, z: x },
  ],
  [
    'INVALID_ARGUMENT',
    'Signature input alias: x(feed name: x:0) not found in request and no default value provided. ' +
      'Inputs expected to be in the request {z}, or default input alias set: ',
    'versions',
    { z: x },
  ],
  [
    'INVALID_ARGUMENT',
    'output tensor alias not found in signature: z Outputs expected to be in the set {y}.',
    'versions',
    { x },
    { filter: ['z'] },
  ],
  ['INVALID_ARGUMENT', 'duplicate output tensor alias: y', 'versions', { x }, { filter: ['y', 'y'] }],
  ['INVALID_ARGUMENT', 'tensor parsing error: x', 'versions', { x: { ...x, tensor_shape: { dim: [{ size: 2 }] } } }],
  ['INVALID_ARGUMENT', 'Expects arg[0] to be float but double is provided', 'versions', { x: { dtype: 'DT_DOUBLE' } }],
  [
    'INVALID_ARGUMENT',
    'Expects arg[0] to be float but complex64 is provided',
    'versions',
    { x: { dtype: 'DT_COMPLEX64' } },
  ],
  ['INVALID_ARGUMENT', 'tensor parsing error: x', 'versions', { x: { dtype: 'DT_QINT8' } }],
  ['INVALID_ARGUMENT', 'Expects arg[1] to be float but int32 is provided', 'pair', { a: x, b: { dtype: 'DT_INT32' } }],
  ['INVALID_ARGUMENT', 'Input x has shape [1], the model takes [?,2,3]', 'image', { x }],
  [
    'INVALID_ARGUMENT',
    'Input x has shape [1,3,2], the model takes [?,2,3]',
    'image',
    { x: floats([1, 2, 3, 4, 5, 6], [1, 3, 2]) },
  ],
];
for (const [code, text, model, inputs, options] of REFUSED) {
  test(`refused: ${text}`, async () => {
    const call = client.predict(model, inputs as never, options);
    await assert.rejects(call, refusal(status[code], text));
  });
}

test('a request without a model_spec is refused', async () => {
  await assert.rejects(client.call('Predict', {}), refusal(status.INVALID_ARGUMENT, 'Missing ModelSpec'));
});

test('names of Object.prototype members are treated as unknown names', async () => {
  await assert.rejects(client.predict('toString', { x }), { code: status.NOT_FOUND });
  await assert.rejects(client.predict('versions', { constructor: x }), { details: /not found in request/ });
});

test('an error of the graph is INVALID_ARGUMENT, and the next request succeeds', async () => {
  const inputs = { x: floats([1, 2]), z: floats([1, 2, 3]) };
  await assert.rejects(client.predict('sum', inputs), { code: status.INVALID_ARGUMENT });
  assert.deepEqual((await client.predict('sum', { x, z: x })).outputs.y?.float_val, [2]);
});

test('error texts above 1024 characters are truncated', async () => {
  await assert.rejects(client.predict('n'.repeat(2000), { x }), ({ details }) => {
    return details.length === 1024 + '...TRUNCATED'.length && details.endsWith('nn...TRUNCATED');
  });
});

/** About 20 MFLOP per row. */
const busy = (rows: number) => ({ x: { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: rows }, { size: 512 }] } } });

test('a request whose deadline passes in the queue is not run', async () => {
  const startMs = performance.now();
  const first = client.predict('slow', busy(500));
  await assert.rejects(client.predict('slow', busy(50_000), { timeoutMs: 20 }), { code: status.DEADLINE_EXCEEDED });
  await first;
  const firstMs = performance.now() - startMs;
  await client.predict('slow', busy(1));
  assert.ok(
    performance.now() - startMs < 10 * firstMs,
    'the second request, with 100 times the work of the first, was not run',
  );
});

test('other models answer while one is running', async () => {
  let computing = true;
  const slow = client.predict('slow', busy(1000)).finally(() => {
    computing = false;
  });
  assert.deepEqual(await client.predictY('versions', [1]), [3]);
  assert.equal(computing, true);
  await slow;
});

test('calls above --grpc_max_threads fail at once with RESOURCE_EXHAUSTED', async () => {
  const calls = Array.from({ length: 12 }, () => client.predict('slow', busy(50)));
  const refused = (await Promise.allSettled(calls)).flatMap((call) =>
    call.status === 'rejected' ? [call.reason] : [],
  );
  assert.equal(refused.length, 4);
  for (const { code, details } of refused) {
    assert.deepEqual([code, details], [status.RESOURCE_EXHAUSTED, 'Server Threadpool Exhausted']);
  }
});
