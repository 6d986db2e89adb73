/** Tests the TF-Serving client against a server with real TensorFlow. Skipped without it. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { status } from '@grpc/grpc-js';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { openClient } from '../../gateway/backend/grpc/channel.ts';
import { frame } from '../../gateway/backend/grpc/framing.ts';
import type { ModelServers } from '../../gateway/backend/grpc/model-servers.ts';
import { createUnary } from '../../gateway/backend/grpc/unary.ts';
import { createTfServing } from '../../gateway/backend/tf-serving/backend.ts';
import { readPrediction } from '../../gateway/backend/tf-serving/predict-response.ts';
import type { Backend, Prediction, PredictTarget } from '../../gateway/domain/backend.ts';
import { numbersOf } from '../../gateway/domain/elements.ts';
import type { RequestContext } from '../../gateway/domain/request.ts';
import type { Servable } from '../../gateway/domain/servable.ts';
import { stringsOf } from '../../gateway/domain/strings.ts';
import type { Tensor } from '../../gateway/domain/tensor.ts';
import { GatewayError, type Kind } from '../../gateway/errors.ts';
import { findPython, makeModels, startTensorFlowServing, type TensorFlowServing } from './server.ts';

const PROTOS = fileURLToPath(new URL('../../protos', import.meta.url));
const definitions = loadSync('tensorflow_serving/apis/predict.proto', { includeDirs: [PROTOS], keepCase: true });
const predictRequest = definitions['tensorflow.serving.PredictRequest'] as MessageTypeDefinition<object, object>;
const NAMES = ['clothing-model-tiny', 'dtypes', 'slow', 'versions'] as const;

const python = await findPython();
const options = 'missing' in python ? { skip: python.missing } : {};

function context(timeoutMs = 10_000, signal = new AbortController().signal): RequestContext {
  return { deadlineMs: performance.now() + timeoutMs, signal } as RequestContext;
}

const never = () => new AbortController().signal;

function failsWith(kind: Kind, code: keyof typeof status) {
  return (error: unknown) => {
    assert.ok(error instanceof GatewayError, `${error}`);
    assert.equal(error.kind, kind, `${error.cause}`);
    assert.match(`${error.cause}`, new RegExp(`^Error: \\d+ ${code}: `));
    return true;
  };
}

/**
 * One tensor per dtype: the bytes sent, and the values expected back. The server chooses the encoding of its answer.
 */
const ECHOES: readonly { type: string; dtype: string; content: ArrayBufferView; values: readonly number[] }[] = [
  { type: 'bool', dtype: 'DT_BOOL', content: Uint8Array.of(1, 0, 0, 0), values: [1, 0, 0, 0] },
  { type: 'int8', dtype: 'DT_INT8', content: Int8Array.of(-128, 0, 5, 127), values: [-128, 0, 5, 127] },
  { type: 'int16', dtype: 'DT_INT16', content: Int16Array.of(-300, 0, 1, 300), values: [-300, 0, 1, 300] },
  { type: 'int32', dtype: 'DT_INT32', content: Int32Array.of(-7e4, 0, 1, 7e4), values: [-7e4, 0, 1, 7e4] },
  {
    type: 'int64',
    dtype: 'DT_INT64',
    content: BigInt64Array.of(-(2n ** 53n), -1n, 0n, 2n ** 53n),
    values: [-(2 ** 53), -1, 0, 2 ** 53],
  },
  { type: 'uint8', dtype: 'DT_UINT8', content: Uint8Array.of(0, 1, 128, 255), values: [0, 1, 128, 255] },
  { type: 'uint16', dtype: 'DT_UINT16', content: Uint16Array.of(0, 1, 2, 65_535), values: [0, 1, 2, 65_535] },
  { type: 'uint32', dtype: 'DT_UINT32', content: Uint32Array.of(0, 1, 2, 2 ** 32 - 1), values: [0, 1, 2, 2 ** 32 - 1] },
  {
    type: 'uint64',
    dtype: 'DT_UINT64',
    content: BigUint64Array.of(0n, 1n, 2n, 2n ** 53n),
    values: [0, 1, 2, 2 ** 53],
  },
  {
    type: 'float16',
    dtype: 'DT_HALF',
    content: Float16Array.of(-1.5, 2 ** -24, 65_504, Number.POSITIVE_INFINITY),
    values: [-1.5, 2 ** -24, 65_504, Number.POSITIVE_INFINITY],
  },
  {
    type: 'bfloat16',
    dtype: 'DT_BFLOAT16',
    content: Uint16Array.of(0x3fc0, 0xc000, 0x0000, 0x7f80),
    values: [1.5, -2, 0, Number.POSITIVE_INFINITY],
  },
  {
    type: 'float32',
    dtype: 'DT_FLOAT',
    content: Float32Array.of(0.5, -0.25, 1e30, Number.NaN),
    values: [0.5, -0.25, Math.fround(1e30), Number.NaN],
  },
  { type: 'float64', dtype: 'DT_DOUBLE', content: Float64Array.of(0.1, -1e300, 0, 0), values: [0.1, -1e300, 0, 0] },
];

let models = '';
before(async () => {
  if ('program' in python) models = await makeModels(python.program, ...NAMES);
});
after(() => rm(models, { recursive: true, force: true }));

let server: TensorFlowServing;
let client: ModelServers;
let backend: Backend;
let statuses: string[];

async function startServer(flags: readonly string[]): Promise<void> {
  if ('missing' in python) return;
  server = await startTensorFlowServing(python.program, models, { names: NAMES, flags });
  client = openClient(server.target);
  statuses = [];
  const onStatus = (method: string, code: string) => statuses.push(`${method} ${code}`);
  backend = createTfServing({ client, onStatus, maxOutputBytes: 2 ** 20 });
}

async function stopServer(): Promise<void> {
  backend?.close();
  await server?.stop();
}

/** Sends a Predict with arbitrary tensors, which the backend does not support. */
async function predictRaw(model: string, signature: string, inputs: object, wanted = context()): Promise<Prediction> {
  const message = predictRequest.serialize({ model_spec: { name: model, signature_name: signature }, inputs });
  const path = '/tensorflow.serving.PredictionService/Predict';
  const rpc = { path, framed: frame(message), maxResponseBytes: 2 ** 20, ...wanted };
  const response = await createUnary(client, () => undefined)(rpc);
  return readPrediction(response, { outputs: ['y'], elements: 100 });
}

function numbersIn(tensor: Tensor | undefined): number[] {
  return tensor ? Array.from(numbersOf(tensor)) : [];
}

function add(servable: Omit<Servable, 'model'>, ...values: readonly number[]): Promise<Prediction> {
  const target: PredictTarget = {
    servable: { model: 'versions', ...servable },
    signature: 'serving_default',
    input: { name: 'x', dtype: 'DT_FLOAT', shape: [] },
    answer: { outputs: ['y'], wantedElements: 1, elements: 1 },
  };
  const call = backend.prepare(target, values.length);
  call.tensor.set(values);
  return call.send(values.length, context());
}

function testImages(): void {
  test('metadata has the version, names, dtypes and shapes of a model', async () => {
    const { version, signatures } = await backend.metadata({ model: 'clothing-model-tiny' }, never());
    assert.equal(version, 1);
    assert.deepEqual(signatures.get('serving_default'), {
      inputs: [{ name: 'input_8', dtype: 'DT_FLOAT', shape: [-1, 299, 299, 3] }],
      outputs: [{ name: 'dense_7', dtype: 'DT_FLOAT', shape: [-1, 10] }],
    });
    const { signatures: echoes } = await backend.metadata({ model: 'dtypes' }, never());
    assert.deepEqual(echoes.get('echo_int8')?.inputs, [{ name: 'x', dtype: 'DT_INT8', shape: null }]);
  });

  test('a full and a partly filled batch get the scores of their images', async () => {
    const target: PredictTarget = {
      servable: { model: 'clothing-model-tiny' },
      signature: 'serving_default',
      input: { name: 'input_8', dtype: 'DT_FLOAT', shape: [299, 299, 3] },
      answer: { outputs: ['dense_7'], wantedElements: 10, elements: 10 },
    };
    const call = backend.prepare(target, 3);
    const size = 299 * 299 * 3;
    for (let index = 0; index < call.tensor.length; index += 1) {
      call.tensor[index] = Math.sin(index * (1 + Math.floor(index / size)));
    }
    const three = (await call.send(3, context())).outputs.get('dense_7');
    const two = (await call.send(2, context())).outputs.get('dense_7');
    assert.deepEqual(three?.shape, [3, 10]);
    assert.deepEqual(two?.shape, [2, 10]);
    const scores = numbersIn(three);
    assert.deepEqual(numbersIn(two).map(rounded), scores.slice(0, 20).map(rounded));
    assert.notDeepEqual(scores.slice(0, 10).map(rounded), scores.slice(10, 20).map(rounded));
  });
}

function testEncodings(): void {
  for (const { type, dtype, content, values } of ECHOES) {
    test(`${dtype} is decoded from the encoding of the server`, async () => {
      const bytes = Buffer.from(content.buffer);
      const x = { dtype, tensor_shape: { dim: [{ size: 2 }, { size: 2 }] }, tensor_content: bytes };
      const y = (await predictRaw('dtypes', `echo_${type}`, { x })).outputs.get('y');
      assert.equal(y?.dtype, dtype);
      assert.deepEqual(y?.shape, [2, 2]);
      assert.deepEqual(numbersIn(y), values);
    });
  }

  test('strings, a scalar and an empty tensor are decoded', async () => {
    const words = [Buffer.from('jeans'), Buffer.of(0xff, 0), Buffer.alloc(0)];
    const x = { dtype: 'DT_STRING', tensor_shape: { dim: [{ size: 3 }] }, string_val: words };
    const y = (await predictRaw('dtypes', 'echo_string', { x })).outputs.get('y');
    const strings = y && 'offsets' in y ? stringsOf(y) : [];
    assert.deepEqual(
      strings.map((bytes) => Buffer.from(bytes)),
      words,
    );
    const scalar = await predictRaw('dtypes', 'echo_float32', {
      x: { dtype: 'DT_FLOAT', tensor_shape: {}, float_val: [7] },
    });
    assert.deepEqual(numbersIn(scalar.outputs.get('y')), [7]);
    assert.deepEqual(scalar.outputs.get('y')?.shape, []);
    const empty = { dtype: 'DT_INT64', tensor_shape: { dim: [{ size: 0 }, { size: 3 }] } };
    const nothing = (await predictRaw('dtypes', 'echo_int64', { x: empty })).outputs.get('y');
    assert.deepEqual([nothing?.shape, numbersIn(nothing)], [[0, 3], []]);
  });
}

function testVersions(): void {
  test('a Predict is answered by the newest version, a given version or a label', async () => {
    const asked = [{}, { version: 2 }, { label: 'stable' }] as const;
    const answers = await Promise.all(asked.map((servable) => add(servable, 10, 20)));
    assert.deepEqual(
      answers.map(({ version, outputs }) => [version, ...numbersIn(outputs.get('y'))]),
      [
        [3, 13, 23],
        [2, 12, 22],
        [1, 11, 21],
      ],
    );
    assert.equal((await backend.metadata({ model: 'versions', label: 'stable' }, never())).version, 1);
  });

  test('status lists all versions, newest first', async () => {
    const versions = await backend.status('versions', never());
    assert.deepEqual(
      versions,
      [3, 2, 1].map((version) => ({ version, state: 'AVAILABLE', error: '' })),
    );
  });
}

function testErrors(): void {
  test('errors of the server become their kinds', async () => {
    await assert.rejects(add({ version: 9 }, 1), failsWith('model_not_found', 'NOT_FOUND'));
    await assert.rejects(backend.metadata({ model: 'nothing' }, never()), failsWith('model_not_found', 'NOT_FOUND'));
    await assert.rejects(backend.status('nothing', never()), failsWith('model_not_found', 'NOT_FOUND'));
    const x = { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: 1 }] }, float_val: [1] };
    await assert.rejects(predictRaw('versions', 'nothing', { x }), failsWith('model_failed', 'FAILED_PRECONDITION'));
    await assert.rejects(predictRaw('versions', '', { z: x }), failsWith('internal', 'INVALID_ARGUMENT'));
    const wrong = { dtype: 'DT_INT32', tensor_shape: { dim: [{ size: 1 }] }, int_val: [1] };
    await assert.rejects(predictRaw('versions', '', { x: wrong }), failsWith('internal', 'INVALID_ARGUMENT'));
    assert.equal(statuses.at(-1), 'GetModelStatus NOT_FOUND');
  });

  test('a Predict ends at its deadline, and at once when the client disconnects', async () => {
    const steps = { dtype: 'DT_INT64', tensor_shape: { dim: [{ size: 1 }] }, int64_val: [1_000_000_000] };
    const startMs = performance.now();
    const tooLong = predictRaw('slow', '', { steps }, context(300));
    await assert.rejects(tooLong, failsWith('model_timeout', 'DEADLINE_EXCEEDED'));
    assert.ok(performance.now() - startMs < 1000);
    const controller = new AbortController();
    const abandoned = predictRaw('slow', '', { steps }, context(5000, controller.signal));
    await sleep(100);
    controller.abort(new DOMException('', 'AbortError'));
    await assert.rejects(abandoned, failsWith('client_gone', 'CANCELLED'));
  });
}

for (const flags of [[], ['--enable_serialization_as_tensor_content=true']]) {
  describe(`TF-Serving ${flags.join(' ')}`, options, () => {
    before(() => startServer(flags));
    after(stopServer);
    testImages();
    testEncodings();
    testVersions();
    testErrors();
  });
}

function rounded(score: number): string {
  return score.toPrecision(4);
}

test('E10: connections that the server closes by age fail no request', options, async (t) => {
  if ('missing' in python) return;
  const flags = ['--grpc_channel_arguments=grpc.max_connection_age_ms=300,grpc.max_connection_age_grace_ms=1000'];
  const server = await startTensorFlowServing(python.program, models, { names: ['versions'], flags });
  t.after(() => server.stop());
  const client = openClient(server.target);
  const statuses: string[] = [];
  const backend = createTfServing({ client, maxOutputBytes: 2 ** 20, onStatus: (_, code) => statuses.push(code) });
  t.after(() => backend.close());
  const target: PredictTarget = {
    servable: { model: 'versions' },
    signature: 'serving_default',
    input: { name: 'x', dtype: 'DT_FLOAT', shape: [] },
    answer: { outputs: ['y'], wantedElements: 1, elements: 1 },
  };
  const endMs = performance.now() + 3000;
  const callers = Array.from({ length: 4 }, async () => {
    while (performance.now() < endMs) await backend.prepare(target, 1).send(1, context());
  });
  await Promise.all(callers);
  assert.deepEqual(new Set(statuses), new Set(['OK']));
  assert.ok(statuses.length > 100);
});
