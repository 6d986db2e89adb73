/** The gRPC port in front of a model server that gives its inputs back: TF-Serving's API and the Open Inference Protocol. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ALL, echo, LISTED, signature, TYPES, type Type } from './datatypes.ts';
import { type RunningGateway, startGateway, startGatewayFor } from './gateway.ts';
import { GrpcClient, INFERENCE_SERVICE, MODEL_SERVICE, PREDICTION_SERVICE, serializeRequest } from './grpc-client.ts';
import { type ModelServer, type OnPredict, type Served, startModelServer } from './model-server.ts';

const KEY = 'tg_grpc-key-of-the-test';
/** Version 1 has the types with lists, version 2 has all. */
const served: Served = {
  versions: new Map([
    [1, signature(LISTED)],
    [2, signature(ALL)],
  ]),
  labels: new Map([['stable', 1]]),
};

let onPredict: OnPredict = echo;
let model: ModelServer;
let gateway: RunningGateway;
let client: GrpcClient;
let folder: string;

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'grpc-'));
  const keysFile = path.join(folder, 'keys.yaml');
  writeFileSync(keysFile, `- name: shop\n  sha256: ${createHash('sha256').update(KEY).digest('hex')}\n`);
  model = await startModelServer({ inputs: {}, outputs: {}, served, onPredict: (call) => onPredict(call) });
  const models = path.join(folder, 'models');
  execFileSync('mkdir', [models]);
  gateway = await startGateway({
    GRPC_PORT: '0',
    MODELS: models,
    TF_SERVING_HOST: model.target,
    API_KEYS_FILE: keysFile,
    MAX_BODY_BYTES: '1MB',
  });
  await gateway.ready();
  client = new GrpcClient(gateway.grpcTarget);
});

after(async () => {
  client.close();
  assert.equal(await gateway.stop(), 0);
  model.close();
  rmSync(folder, { recursive: true });
});

const WITH_KEY = { metadata: { authorization: `Bearer ${KEY}` } };

function refusal(of: Promise<unknown>): Promise<ServiceError> {
  return of.then(
    (answer) => assert.fail(`answered ${JSON.stringify(answer)}`),
    (error: ServiceError) => error,
  );
}

type InferAnswer = {
  readonly id: string;
  readonly model_version: string;
  readonly outputs: readonly { name: string; datatype: string; shape: string[]; contents: Record<string, unknown[]> }[];
  readonly raw_output_contents: readonly Buffer[];
};

const infer = (request: object) => client.call<InferAnswer>(INFERENCE_SERVICE, 'ModelInfer', request, WITH_KEY);
const rawOf = (types: readonly Type[]) => types.map((type) => Buffer.from(TYPES[type].raw, 'hex'));

/** A ModelInferRequest. `contents` gives what an input has beside its name, datatype and shape. */
function inferRequest(types: readonly Type[], contents: (type: Type) => object = () => ({})) {
  const inputs = types.map((type) => ({ name: `x_${type}`, datatype: type, shape: [2], ...contents(type) }));
  return { model_name: 'echo', id: 'one', inputs };
}

const TYPED = { ...inferRequest(LISTED, (type) => ({ contents: TYPES[type].list })), model_version: '1' };
const RAW = { ...inferRequest(ALL), raw_input_contents: rawOf(ALL) };

/** A PredictRequest for version 1. */
function predictRequest(spec: object, length = 2): object {
  const inputs = LISTED.map((type) => {
    const { dtype } = TYPES[type];
    const values = type === 'BYTES' ? { string_val: Array(length).fill(Buffer.from('s')) } : {};
    return [`x_${type}`, { dtype, tensor_shape: { dim: [{ size: length }] }, ...values }];
  });
  return { model_spec: { name: 'echo', ...spec }, inputs: Object.fromEntries(inputs) };
}

const predict = (request: object | Buffer) => client.call(PREDICTION_SERVICE, 'Predict', request, WITH_KEY);

test('every datatype passes raw, bit by bit', async () => {
  const answer = await infer(RAW);
  assert.deepEqual([answer.id, answer.model_version], ['one', '2']);
  const outputs = answer.outputs.map(({ name, datatype, shape }) => [name, datatype, shape]);
  assert.deepEqual(
    outputs,
    ALL.map((type) => [`y_${type}`, type, ['2']]),
  );
  assert.deepEqual(
    answer.raw_output_contents.map((bytes) => bytes.toString('hex')),
    ALL.map((type) => TYPES[type].raw),
  );
});

test('every datatype that has lists passes in lists, and half and bfloat16 do not', async () => {
  const answer = await infer(TYPED);
  assert.equal(answer.model_version, '1');
  assert.deepEqual(answer.raw_output_contents, []);
  for (const { datatype, contents } of answer.outputs) {
    const [[list, values] = assert.fail()] = Object.entries(TYPES[datatype as Type].list ?? assert.fail());
    assert.deepEqual(contents[list], values, datatype);
  }
  const { details } = await refusal(infer(inferRequest(['FP16'])));
  assert.match(details, /^inputs\[0\] \(x_FP16\): FP16 has no list: send raw_input_contents/);
});

for (const [name, request, text] of [
  ['too few values', inferRequest(['INT8'], () => ({ contents: { int_contents: [1] } })), /expected 2 values in int_c/],
  ['too many values', inferRequest(['INT8'], () => ({ contents: { int_contents: [1, 2, 3] } })), /got more/],
  [
    'a value out of range',
    inferRequest(['INT8'], () => ({ contents: { int_contents: [1, 128] } })),
    /\[1\]: 128 is out of/,
  ],
  ['another list', inferRequest(['INT8'], () => ({ contents: { uint_contents: [1, 2] } })), /values in int_contents/],
  [
    'raw bytes of another length',
    { ...inferRequest(['INT8']), raw_input_contents: [Buffer.alloc(3)] },
    /expected 2 bytes/,
  ],
  ['cut strings', { ...inferRequest(['BYTES']), raw_input_contents: [Buffer.alloc(7)] }, /expected 2 strings/],
  [
    'raw bytes for some',
    { ...inferRequest(['INT8', 'BOOL']), raw_input_contents: [Buffer.alloc(2)] },
    /one for each of 2/,
  ],
  ['a huge shape', inferRequest(['INT8'], () => ({ shape: [2 ** 40] })), /expected 1099511627776 values/],
  ['a negative shape', inferRequest(['INT8'], () => ({ shape: [-2] })), /no number of elements/],
  ['another datatype', inferRequest(['INT8'], () => ({ datatype: 'INT16' })), /datatype: expected INT8, got INT16/],
  ['another rank', inferRequest(['INT8'], () => ({ shape: [1, 2] })), /shape: expected \[n\], got \[1,2\]/],
  ['an unknown input', inferRequest(['INT8'], () => ({ name: 'z' })), /inputs\[0\] \(z\): no such input/],
  [
    'shared memory',
    inferRequest(['INT8'], () => ({ parameters: { shared_memory_region: { string_param: 'a' } } })),
    /not offered/,
  ],
  ['no model', { ...RAW, model_name: '' }, /model_name/],
  ['bytes of no message', Buffer.from([0x2a, 0x05, 0x01]), /not a ModelInferRequest: the message is cut off/],
] as const) {
  test(`a ModelInfer with ${name} is an invalid argument`, async () => {
    const { code, details } = await refusal(infer(request));
    assert.deepEqual([code, text.test(details)], [status.INVALID_ARGUMENT, true], details);
  });
}

test('a Predict passes with the version that was selected, and its answer as it came', async () => {
  const seen = model.calls.length;
  for (const spec of [{ version: { value: 1 } }, { version_label: 'stable' }]) {
    const answer = await predict(predictRequest(spec));
    assert.deepEqual(answer.model_spec, {
      name: 'echo',
      signature_name: 'serving_default',
      version: { value: '1' },
    });
    assert.equal(Object.keys(answer.outputs as object).length, LISTED.length);
  }
  assert.deepEqual(
    model.calls.slice(seen).map(({ spec }) => spec.version?.value),
    ['1', '1'],
  );
});

test('a model_spec behind the tensors is found, and a second one is refused', async () => {
  const whole = serializeRequest(PREDICTION_SERVICE, 'Predict', predictRequest({ version: { value: 1 } }));
  const spec = serializeRequest(PREDICTION_SERVICE, 'Predict', { model_spec: { name: 'echo', version: { value: 1 } } });
  assert.deepEqual(whole.subarray(0, spec.length), spec);
  const tensors = whole.subarray(spec.length);
  const answer = await predict(Buffer.concat([tensors, spec]));
  assert.equal(Object.keys(answer.outputs as object).length, LISTED.length);
  assert.match((await refusal(predict(Buffer.concat([spec, tensors, spec])))).details, /model_spec: send it once/);
  assert.match((await refusal(predict(tensors))).details, /model_spec: is missing/);
  assert.match((await refusal(predict(Buffer.from([0x0a])))).details, /not a PredictRequest/);
});

test('what the model server says of the tensors reaches the client; what it hides does not', async (t) => {
  t.after(() => {
    onPredict = echo;
  });
  const fail = (code: status, details: string) => {
    onPredict = () => Promise.reject(Object.assign(new Error(details), { code, details }));
  };
  fail(status.INVALID_ARGUMENT, 'Incompatible shapes: [2] vs. [3]');
  const invalid = await refusal(predict(predictRequest({ version: { value: 1 } })));
  assert.deepEqual([invalid.code, invalid.details], [status.INVALID_ARGUMENT, 'Incompatible shapes: [2] vs. [3]']);
  fail(status.INTERNAL, 'at 10.0.0.7');
  const failed = await refusal(predict(predictRequest({ version: { value: 1 } })));
  assert.equal(failed.code, status.INTERNAL);
  assert.doesNotMatch(failed.details, /10\.0/);
  assert.deepEqual(failed.metadata.get('tensorgate-kind'), ['model_failed']);
});

test('look-ups name the versions that may answer', async () => {
  const call = (service: string, method: string, request: object) => client.call(service, method, request, WITH_KEY);
  const { model_version_status: versions } = await call(MODEL_SERVICE, 'GetModelStatus', {
    model_spec: { name: 'echo' },
  });
  assert.deepEqual(
    (versions as { version: string; state: string }[]).map(({ version, state }) => [version, state]),
    [
      ['2', 'AVAILABLE'],
      ['1', 'AVAILABLE'],
    ],
  );
  const metadata = await call(PREDICTION_SERVICE, 'GetModelMetadata', {
    model_spec: { name: 'echo', version_label: 'stable' },
    metadata_field: ['signature_def'],
  });
  assert.equal((metadata.model_spec as { version: { value: string } }).version.value, '1');
  const described = await call(INFERENCE_SERVICE, 'ModelMetadata', { name: 'echo' });
  assert.deepEqual(described.versions, ['2', '1']);
  assert.equal((described.inputs as object[]).length, ALL.length);
});

test('calls need a key, in either header, and are logged and counted', async () => {
  const live = (metadata: Record<string, string>, onMetadata?: (metadata: Metadata) => void) =>
    client.call(INFERENCE_SERVICE, 'ServerLive', {}, { metadata, ...(onMetadata && { onMetadata }) });
  assert.equal((await refusal(live({}))).code, status.UNAUTHENTICATED);
  assert.equal((await refusal(live({ authorization: 'Bearer other' }))).code, status.UNAUTHENTICATED);
  assert.deepEqual(await live({ 'x-api-key': KEY }), { live: true });
  let answered: Metadata | undefined;
  await live({ 'x-api-key': KEY, 'x-request-id': 'grpc-42' }, (metadata) => {
    answered = metadata;
  });
  assert.deepEqual(answered?.get('x-request-id'), ['grpc-42']);
  const [line] = await gateway.linesOf('grpc-42');
  const route = '/inference.GRPCInferenceService/ServerLive';
  assert.deepEqual([line?.route, line?.method, line?.status, line?.key], [route, 'gRPC', 200, 'shop']);
  const metrics = await gateway.metrics();
  assert.match(
    metrics,
    /tensorgate_requests_total\{route="\/inference[^}]*ServerLive",status="401",kind="unauthenticated"\} 2/,
  );
});

test('a message above MAX_BODY_BYTES is refused by its announced length', async () => {
  const request = { ...inferRequest(['INT8'], () => ({ shape: [2e6] })), raw_input_contents: [Buffer.alloc(2e6)] };
  const { code, details } = await refusal(infer(request));
  assert.equal(code, status.RESOURCE_EXHAUSTED);
  assert.match(details, /MAX_BODY_BYTES/);
});

test("the client's deadline goes on to the model server, and ends the call there", async (t) => {
  const ended = Promise.withResolvers<void>();
  t.after(() => {
    onPredict = echo;
  });
  onPredict = async ({ raw }) => {
    raw.once('cancelled', () => ended.resolve());
    await sleep(20_000, undefined, { ref: false });
    return {};
  };
  const options = { ...WITH_KEY, timeoutMs: 500 };
  const late = await refusal(
    client.call(PREDICTION_SERVICE, 'Predict', predictRequest({ version: { value: 1 } }), options),
  );
  assert.equal(late.code, status.DEADLINE_EXCEEDED);
  await ended.promise;
});

test('with a certificate the gRPC port takes TLS only', async (t) => {
  const [certFile, keyFile] = [path.join(folder, 'tls.crt'), path.join(folder, 'tls.key')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', certFile, ...names], { stdio: 'pipe' });
  const own = await startGatewayFor(t, {
    GRPC_PORT: '0',
    MODELS: path.join(folder, 'models'),
    TF_SERVING_HOST: model.target,
    TLS_CERT_FILE: certFile,
    TLS_KEY_FILE: keyFile,
  });
  const secure = new GrpcClient(
    own.grpcTarget.replace('127.0.0.1', 'localhost'),
    credentials.createSsl(readFileSync(certFile)),
  );
  t.after(() => secure.close());
  assert.deepEqual(await secure.call(INFERENCE_SERVICE, 'ServerLive', {}), { live: true });
  const plain = new GrpcClient(own.grpcTarget);
  t.after(() => plain.close());
  const { code } = await refusal(plain.call(INFERENCE_SERVICE, 'ServerLive', {}, { timeoutMs: 2000 }));
  assert.ok([status.UNAVAILABLE, status.DEADLINE_EXCEEDED].includes(code));
});
