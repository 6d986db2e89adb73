import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { connect, failsWith, predict, SMALL } from '../../../tests/backend.ts';
import { floatOutputs, type OpenInferenceOptions, startOpenInference } from '../../../tests/open-inference-server.ts';
import type { Backend, Prediction } from '../../domain/backend.ts';
import type { RequestContext } from '../../domain/request.ts';
import { stringTensor } from '../../domain/strings.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';

const { signal } = new AbortController();
const INFOS = {
  inputs: { input_8: { dtype: 'DT_FLOAT', shape: [-1, 2] } },
  outputs: { dense_7: { dtype: 'DT_FLOAT', shape: [-1, 2] } },
} as const;
const ANSWER = floatOutputs({ dense_7: { shape: [1, 2], values: [1, 2] } });

/** A server, and a backend that is connected to it. */
async function serve(t: TestContext, options: Partial<OpenInferenceOptions> = {}) {
  const server = await startOpenInference({ ...INFOS, onInfer: () => ANSWER, ...options });
  t.after(() => server.close());
  return { server, ...(await connect(t, server.target, { protocol: 'open-inference' })) };
}

const atVersion = (version: number) => ({ ...SMALL, servable: { model: 'm', version } });

function predictTensors(backend: Backend, outputs: readonly string[], inputs: Record<string, Tensor> = {}, rows = 2) {
  const answer = { outputs, wantedElements: 2, elements: 16 };
  const target = { servable: { model: 'm' }, signature: 'serving_default', answer };
  const context = { deadlineMs: performance.now() + 5000, signal } as RequestContext;
  return backend.predict(target, new Map(Object.entries(inputs)), rows, context);
}

test('a Predict sends model, version and tensor, and its response is read', async (t) => {
  const { server, backend, statuses } = await serve(t, { versions: ['3'] });
  const call = backend.prepare(atVersion(3), 4);
  call.tensor.set([1, 2, 3, 4, 5, 6]);
  const context = { deadlineMs: performance.now() + 5000, signal } as RequestContext;
  const { version, outputs } = await call.send(3, context);
  const bytes = new Uint8Array(Float32Array.of(1, 2).buffer);
  assert.deepEqual([version, outputs.get('dense_7')], [3, { dtype: 'DT_FLOAT', shape: [1, 2], bytes }]);
  const [{ model_name, model_version, inputs, raw_input_contents } = assert.fail()] = server.calls;
  assert.deepEqual([model_name, model_version], ['m', '3']);
  assert.deepEqual([inputs[0]?.name, inputs[0]?.datatype, inputs[0]?.shape], ['input_8', 'FP32', ['3', '2']]);
  assert.deepEqual(raw_input_contents, [Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer)]);
  assert.deepEqual(statuses, ['ModelInfer OK']);
});

test('metadata and states of the versions are read', async (t) => {
  const { server, backend } = await serve(t, { versions: ['2', '10', '9'], isReady: (version) => version !== '9' });
  assert.deepEqual(await backend.status('m', signal), [
    { version: 10, state: 'AVAILABLE', error: '' },
    { version: 9, state: 'LOADING', error: '' },
    { version: 2, state: 'AVAILABLE', error: '' },
  ]);
  const { version, protocol, signatures } = await backend.metadata({ model: 'm', version: 2 }, signal);
  assert.deepEqual([version, protocol], [2, 'open-inference']);
  assert.deepEqual(Object.fromEntries(signatures), {
    serving_default: {
      inputs: [{ name: 'input_8', dtype: 'DT_FLOAT', shape: [-1, 2] }],
      outputs: [{ name: 'dense_7', dtype: 'DT_FLOAT', shape: [-1, 2] }],
    },
  });
  assert.equal((await backend.metadata({ model: 'm' }, signal)).version, 10);
  assert.equal(server.lookUps.at(-1), 'ModelMetadata ');
  await assert.rejects(backend.metadata({ model: 'm', label: 'stable' }, signal), failsWith('model_not_found'));
});

for (const versions of [[], ['v2', 'latest']]) {
  test(`a model with the versions [${versions}] is version 1, and the server chooses`, async (t) => {
    const { server, backend } = await serve(t, { versions, onInfer: () => ({ ...ANSWER, model_version: '7' }) });
    assert.deepEqual(await backend.status('m', signal), [{ version: 1, state: 'AVAILABLE', error: '' }]);
    assert.equal((await backend.metadata({ model: 'm', version: 1 }, signal)).version, 1);
    assert.equal((await predict(backend, { target: atVersion(1) })).version, undefined);
    assert.deepEqual(server.lookUps, ['ModelMetadata ', 'ModelReady ', 'ModelMetadata ']);
    assert.equal(server.calls[0]?.model_version, '');
  });
}

test('a model that gets version numbers is called by them', async (t) => {
  const options = { versions: [] as string[], onInfer: () => ANSWER };
  const server = await startOpenInference({
    ...INFOS,
    ...options,
    get versions() {
      return options.versions;
    },
  });
  t.after(() => server.close());
  const { backend } = await connect(t, server.target, { protocol: 'open-inference' });
  await backend.status('m', signal);
  options.versions = ['1'];
  await backend.status('m', signal);
  assert.equal((await predict(backend, { target: atVersion(1) })).version, 1);
  assert.equal(server.calls[0]?.model_version, '1');
});

test('the reason why a model is not ready is read from RepositoryIndex', async (t) => {
  const { server, backend } = await serve(t, {
    names: [],
    index: () => [
      { name: 'other', version: '1', state: 'READY' },
      { name: 'm', version: '2', state: 'UNAVAILABLE', reason: 'bad graph at /srv' },
      { name: 'm', version: '3', state: 'LOADING' },
      { name: 'never-loaded' },
      { name: 'single', state: 'UNLOADING' },
    ],
  });
  assert.deepEqual(await backend.status('m', signal), [
    { version: 3, state: 'LOADING', error: '' },
    { version: 2, state: 'END', error: 'bad graph at /srv' },
  ]);
  assert.deepEqual(await backend.status('single', signal), [{ version: 1, state: 'UNLOADING', error: '' }]);
  for (const name of ['never-loaded', 'nothing']) {
    await assert.rejects(backend.status(name, signal), failsWith('model_not_found'));
  }
  assert.ok(server.lookUps.includes('RepositoryIndex'));
});

test('a version that failed is told beside one that is ready, and the index of all models is asked for once', async (t) => {
  const { server, backend } = await serve(t, {
    versions: ['2'],
    index: () => [
      { name: 'm', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' },
      { name: 'm', version: '2', state: 'READY' },
      { name: 'm', version: '3', state: 'UNAVAILABLE', reason: 'bad graph' },
      { name: 'other', version: '9', state: 'UNAVAILABLE', reason: 'bad graph' },
    ],
  });
  for (let poll = 0; poll < 3; poll += 1) {
    assert.deepEqual(await backend.status('m', signal), [
      { version: 3, state: 'END', error: 'bad graph' },
      { version: 2, state: 'AVAILABLE', error: '' },
      { version: 1, state: 'END', error: '' },
    ]);
  }
  assert.equal(server.lookUps.filter((method) => method === 'RepositoryIndex').length, 1);
});

test('a server without RepositoryIndex does not have an unknown model, whichever code it answers', async (t) => {
  for (const unknownCode of [status.NOT_FOUND, status.UNAVAILABLE]) {
    const { backend } = await serve(t, { names: ['m'], unknownCode });
    await assert.rejects(backend.status('x', signal), failsWith('model_not_found'));
  }
});

/** Two elements of each datatype, raw and in its list. */
const TYPES = {
  BOOL: ['DT_BOOL', '0100', { bool_contents: [true, false] }],
  UINT8: ['DT_UINT8', '00ff', { uint_contents: [0, 255] }],
  UINT16: ['DT_UINT16', '0100ffff', { uint_contents: [1, 65_535] }],
  UINT32: ['DT_UINT32', '01000000ffffffff', { uint_contents: [1, 4_294_967_295] }],
  UINT64: ['DT_UINT64', 'ffffffffffffffff0100000000000000', { uint64_contents: ['18446744073709551615', '1'] }],
  INT8: ['DT_INT8', '807f', { int_contents: [-128, 127] }],
  INT16: ['DT_INT16', 'ffff0001', { int_contents: [-1, 256] }],
  INT32: ['DT_INT32', 'ffffffff01000000', { int_contents: [-1, 1] }],
  INT64: ['DT_INT64', '0100000000002000ffffffffffffffff', { int64_contents: ['9007199254740993', '-1'] }],
  FP16: ['DT_HALF', '003c00c0'],
  BF16: ['DT_BFLOAT16', '803f00c0'],
  FP32: ['DT_FLOAT', '0000c03f000080be', { fp32_contents: [1.5, -0.25] }],
  FP64: ['DT_DOUBLE', '000000000000f83f0000000000000000', { fp64_contents: [1.5, 0] }],
} as const;

for (const [datatype, [dtype, raw, lists]] of Object.entries(TYPES)) {
  test(`${datatype} is sent raw, and read raw and from its list`, async (t) => {
    let answer = {};
    const { server, backend } = await serve(t, { onInfer: () => answer });
    const bytes = Buffer.from(raw, 'hex');
    const output = { name: 'y', datatype, shape: [2] };
    for (answer of [
      { outputs: [output], raw_output_contents: [bytes] },
      ...(lists ? [{ outputs: [{ ...output, contents: lists }] }] : []),
    ]) {
      const { outputs } = await predictTensors(backend, ['y'], { x: { dtype, shape: [2], bytes } });
      const y = outputs.get('y');
      assert.deepEqual([y?.dtype, y?.shape, y && 'bytes' in y && Buffer.from(y.bytes)], [dtype, [2], bytes]);
    }
    const [{ inputs, raw_input_contents: sent } = assert.fail()] = server.calls;
    assert.deepEqual([inputs[0]?.datatype, sent], [datatype, [bytes]]);
  });
}

test('strings are sent raw, and read raw and from their list', async (t) => {
  let answer = {};
  const { server, backend } = await serve(t, { onInfer: () => answer });
  const strings = [Buffer.from('ab'), Buffer.of(0, 255)];
  const raw = Buffer.from('0200000061620200000000ff', 'hex');
  const output = { name: 'y', datatype: 'BYTES', shape: [2] };
  for (answer of [
    { outputs: [output], raw_output_contents: [raw] },
    { outputs: [{ ...output, contents: { bytes_contents: strings } }] },
  ]) {
    const { outputs } = await predictTensors(backend, ['y'], { x: stringTensor([2], strings) });
    assert.deepEqual(outputs.get('y'), stringTensor([2], strings));
  }
  assert.deepEqual(server.calls[0]?.raw_input_contents, [raw]);
});

test('raw contents belong to the outputs in their order, and unwanted and unknown ones are left out', async (t) => {
  const y = (name: string, datatype: string) => ({ name, datatype, shape: [1] });
  const outputs = [y('z', 'UINT8'), y('odd', 'COMPLEX'), y('y', 'UINT8')];
  const raw_output_contents = [Buffer.of(1), Buffer.of(9, 9, 9), Buffer.of(2)];
  const { server, backend } = await serve(t, { onInfer: () => ({ outputs, raw_output_contents }) });
  const read = await predictTensors(backend, ['y', 'odd']);
  assert.deepEqual([...read.outputs], [['y', { dtype: 'DT_UINT8', shape: [1], bytes: Buffer.of(2) }]]);
  assert.deepEqual(
    server.calls[0]?.outputs.map(({ name }) => name),
    ['y', 'odd'],
  );
});

const FP32 = { name: 'y', datatype: 'FP32', shape: [2] };
const BYTES = { name: 'y', datatype: 'BYTES', shape: [2] };
const UINT8 = { name: 'y', datatype: 'UINT8', shape: [2] };
const WRONG: Readonly<Record<string, object>> = {
  'too few raw bytes': { outputs: [FP32], raw_output_contents: [Buffer.alloc(7)] },
  'too many raw bytes': { outputs: [FP32], raw_output_contents: [Buffer.alloc(12)] },
  'no contents': { outputs: [FP32] },
  'too few values': { outputs: [{ ...FP32, contents: { fp32_contents: [1] } }] },
  'too many values': { outputs: [{ ...FP32, contents: { fp32_contents: [1, 2, 3] } }] },
  'another list': { outputs: [{ ...FP32, contents: { fp64_contents: [1, 2] } }] },
  'a value out of range': { outputs: [{ ...UINT8, contents: { uint_contents: [1, 256] } }] },
  'strings that are cut off': { outputs: [BYTES], raw_output_contents: [Buffer.from('0100000061020000', 'hex')] },
  'a negative axis': { outputs: [{ ...FP32, shape: [-1, -2] }], raw_output_contents: [Buffer.alloc(8)] },
  'an endless shape': { outputs: [{ ...UINT8, shape: [2 ** 31, 2 ** 31] }], raw_output_contents: [Buffer.alloc(1)] },
  'more elements than were asked for': {
    outputs: [{ ...UINT8, shape: [2, 8192] }],
    raw_output_contents: [Buffer.alloc(2 * 8192)],
  },
};
for (const [what, answer] of Object.entries(WRONG)) {
  test(`${what}: the answer is refused`, async (t) => {
    const { backend } = await serve(t, { onInfer: () => answer });
    await assert.rejects(predictTensors(backend, ['y']), failsWith('model_failed'));
  });
}

test('an answer above the limit is refused', async (t) => {
  const raw_output_contents = [Buffer.alloc(2 ** 18)];
  const { backend } = await serve(t, {
    onInfer: () => ({ outputs: [{ ...FP32, shape: [2 ** 16] }], raw_output_contents }),
  });
  await assert.rejects(predictTensors(backend, ['y']), (error: GatewayError) => /too large/.test(error.message));
});

/** The failure of a call whose server answers INVALID_ARGUMENT with this text. */
async function refusal(t: TestContext, details: string, send: (backend: Backend) => Promise<Prediction>) {
  const { backend } = await serve(t, { onInfer: () => Promise.reject({ code: status.INVALID_ARGUMENT, details }) });
  const error = await send(backend).then(
    () => assert.fail('answered'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof GatewayError);
  return [error.kind, error.isOutdated, error.message];
}

test('what a server says of wrong tensors reaches the client, and other tensors than those of the version are looked up again', async (t) => {
  const send = (backend: Backend) => predictTensors(backend, ['y']);
  assert.deepEqual(await refusal(t, 'negative dimension', send), ['invalid_tensor', false, 'negative dimension']);
  for (const details of [
    "unexpected inference input 'x' for model 'm'", // Triton
    "[request id: 1] inference input 'x' data-type is 'FP32', but model 'm' expects 'INT32'",
    "expected 2 inputs but got 1 inputs for model 'm'",
    'Invalid number of inputs - Expected: 2; Actual: 1', // OpenVINO Model Server
    'Missing input with specific name - Required input: x',
    'Invalid input precision - Expected: INT32; Actual: FP32',
    'inputs[0] (x): no such input; the model has z.', // this gateway
  ]) {
    assert.equal((await refusal(t, details, send))[1], true, details);
  }
});

test('more instances than the server takes at once are told with their number', async (t) => {
  const text = "[request id: <id_unknown>] inference request batch-size must be <= 8 for 'm'";
  const wanted = ['body_too_large', false, 'instances: the model server takes at most 8 in one request; send fewer.'];
  assert.deepEqual(await refusal(t, text, (backend) => predictTensors(backend, ['y'])), wanted);
  assert.deepEqual(await refusal(t, text, (backend) => predict(backend)), wanted);
});
