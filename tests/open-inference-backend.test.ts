/**
 * The Open Inference Protocol as the backend: a gateway in front of another gateway's gRPC port, which serves the committed
 * models with the embedded server.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServiceError, status } from '@grpc/grpc-js';
import { runCli } from './cli.ts';
import { CHECKS, classify } from './committed-model.ts';
import { predict, type RunningGateway, startGateway, startGatewayFor } from './gateway.ts';
import { GrpcClient, INFERENCE_SERVICE, MODEL_SERVICE, PREDICTION_SERVICE } from './grpc-client.ts';
import { modelsFolder } from './models.ts';
import { startOpenInference } from './open-inference-server.ts';
import { freePort } from './tf-serving/server.ts';
import { until } from './until.ts';

const MODELS = new URL('../serving/models/', import.meta.url);
const BACKEND_PROTOCOL = 'open-inference';

let server: RunningGateway;
let gateway: RunningGateway;
let client: GrpcClient;

before(async () => {
  server = await startGateway({ GRPC_PORT: '0' });
  await server.ready();
  gateway = await startGateway({
    GRPC_PORT: '0',
    READY_WHEN: 'all',
    TF_SERVING_HOST: server.grpcTarget,
    BACKEND_PROTOCOL,
  });
  await gateway.ready();
  client = new GrpcClient(gateway.grpcTarget);
});

after(async () => {
  client.close();
  assert.equal(await gateway.stop(), 0);
  assert.equal(await server.stop(), 0);
});

for (const [what, check] of CHECKS) test(`photos: ${what}`, () => check(gateway));

type Row = Readonly<Record<string, string | number>>;
type Output = Readonly<Record<string, number | boolean>>;
type Samples = { readonly tolerance: number; readonly instances: readonly Row[]; readonly outputs: readonly Output[] };

async function samplesOf(name: string): Promise<Samples> {
  return JSON.parse(await readFile(new URL(`${name}/parity/1.json`, MODELS), 'utf8')) as Samples;
}

function assertNear(got: readonly Output[], { outputs, tolerance }: Samples): void {
  assert.equal(got.length, outputs.length);
  for (const [row, expected] of outputs.entries()) {
    for (const [name, value] of Object.entries(expected)) {
      const difference = Math.abs(Number(got[row]?.[name]) - Number(value));
      assert.ok(difference <= tolerance, `row ${row}, ${name}: ${got[row]?.[name]}, expected ${value}`);
    }
  }
}

for (const name of ['churn', 'churn-synthetic', 'credit', 'ride-duration']) {
  test(`tables: the records of ${name} are answered on /predict and on /v1`, async () => {
    const samples = await samplesOf(name);
    const { instances } = samples;
    const answer = await predict(gateway, { instances }, `?model=${name}`);
    assert.equal(answer.status, 200, await answer.clone().text());
    assertNear(((await answer.json()) as { predictions: Output[] }).predictions, samples);
    const rest = await fetch(`${gateway.url}/v1/models/${name}:predict`, {
      method: 'POST',
      body: JSON.stringify({ instances }),
    });
    assert.equal(rest.status, 200, await rest.clone().text());
    // The row form has no name for an only output.
    const { predictions } = (await rest.json()) as { predictions: readonly (Output | readonly number[])[] };
    const [only = ''] = Object.keys(samples.outputs[0] ?? {});
    const named = predictions.map((one) => (Array.isArray(one) ? { [only]: one[0] } : one) as Output);
    assertNear(named, samples);
  });
}

const RIDE = { PULocationID: 100, DOLocationID: 102, trip_distance: 30 };

type InferAnswer = {
  readonly id: string;
  readonly model_version: string;
  readonly outputs: readonly {
    readonly name: string;
    readonly contents: { readonly fp32_contents: number[] } | null;
  }[];
  readonly raw_output_contents: readonly Buffer[];
};

async function rideInputs(): Promise<{ name: string; datatype: string; shape: number[]; contents: object }[]> {
  const { inputs } = await client.call<{ inputs: { name: string; datatype: string }[] }>(
    INFERENCE_SERVICE,
    'ModelMetadata',
    { name: 'ride-duration' },
  );
  const lists = { FP32: 'fp32_contents', INT64: 'int64_contents', BYTES: 'bytes_contents' };
  return inputs.map(({ name, datatype }) => {
    const value = RIDE[name as keyof typeof RIDE];
    const list = lists[datatype as keyof typeof lists];
    return {
      name,
      datatype,
      shape: [1],
      contents: { [list]: [datatype === 'BYTES' ? Buffer.from(String(value)) : value] },
    };
  });
}

test('a client of the same protocol is answered with the bytes of the server', async () => {
  const request = { model_name: 'ride-duration', id: 'a', inputs: await rideInputs() };
  const infer = (target: GrpcClient, more: object = {}) =>
    target.call<InferAnswer>(INFERENCE_SERVICE, 'ModelInfer', { ...request, ...more });
  const direct = new GrpcClient(server.grpcTarget);
  const [here, there] = [await infer(client), await infer(direct)];
  direct.close();
  assert.deepEqual(here, there);
  assert.deepEqual([here.id, here.model_version, here.outputs.length], ['a', '1', 1]);
  assert.ok((here.outputs[0]?.contents?.fp32_contents[0] ?? 0) > 0, 'lists stay lists');
  for (const [more, code, text] of [
    [{ model_version: '9' }, status.NOT_FOUND, /no model server has version 9/],
    [{ inputs: request.inputs.slice(1) }, status.INVALID_ARGUMENT, /is missing; the model has/],
    [{ outputs: [{ name: 'other' }] }, status.INVALID_ARGUMENT, /no other in this signature/],
    [{ inputs: request.inputs.map((one) => ({ ...one, shape: [2] })) }, status.INVALID_ARGUMENT, /expected 2 values/],
    [{ parameters: { signature_name: { string_param: 'x' } } }, status.INVALID_ARGUMENT, /no x in this version/],
  ] as const) {
    const error = await infer(client, more).then(
      () => assert.fail('answered'),
      (thrown: ServiceError) => thrown,
    );
    assert.equal(error.code, code, error.details);
    assert.match(error.details, text);
  }
});

test('a client of the same protocol sends encoded pictures', async () => {
  const picture = await readFile(new URL('clothing-model/parity/tall-420.jpg', MODELS));
  const inputs = [{ name: 'image', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [picture] } }];
  const request = { model_name: 'clothing-model', inputs };
  const { outputs } = await client.call<InferAnswer>(INFERENCE_SERVICE, 'ModelInfer', request);
  const scores = (await (await classify(gateway, picture)).json()) as Readonly<Record<string, number>>;
  assert.deepEqual(outputs[0]?.contents?.fp32_contents, Object.values(scores));
});

type Tensor = { readonly dtype: string; readonly tensor_content: Buffer };

test("a client of TF-Serving's protocol is answered too: its tensors are converted", async () => {
  const metadata = { model_spec: { name: 'ride-duration' }, metadata_field: ['signature_def'] };
  type Metadata = { model_spec: { version: { value: string } }; metadata: { signature_def: { value: Buffer } } };
  const answered = await client.call<Metadata>(PREDICTION_SERVICE, 'GetModelMetadata', metadata);
  assert.equal(answered.model_spec.version.value, '1');
  assert.ok(answered.metadata.signature_def.value.includes('serving_default'));
  const inputs = Object.fromEntries(
    (await rideInputs()).map(({ name, datatype, contents }) => {
      const [list = []] = Object.values(contents) as unknown[][];
      const tensor_shape = { dim: [{ size: 1 }] };
      if (datatype === 'BYTES') return [name, { dtype: 'DT_STRING', tensor_shape, string_val: list }];
      if (datatype === 'INT64') return [name, { dtype: 'DT_INT64', tensor_shape, int64_val: list }];
      return [name, { dtype: 'DT_FLOAT', tensor_shape, float_val: list }];
    }),
  );
  const predicted = (more: object = {}) =>
    client.call<{ model_spec: { version: { value: string } }; outputs: Record<string, Tensor> }>(
      PREDICTION_SERVICE,
      'Predict',
      { model_spec: { name: 'ride-duration' }, inputs, ...more },
    );
  const { model_spec, outputs } = await predicted();
  assert.equal(model_spec.version.value, '1');
  const [[name, { dtype, tensor_content }] = assert.fail()] = Object.entries(outputs);
  const wanted = (await (await predict(gateway, RIDE, '?model=ride-duration')).json()) as Record<string, number>;
  assert.deepEqual([dtype, tensor_content.readFloatLE()], ['DT_FLOAT', Math.fround(wanted[name] ?? Number.NaN)]);
  const refused = (of: Promise<unknown>) =>
    of.then(
      () => assert.fail('answered'),
      (thrown: ServiceError) => thrown,
    );
  assert.match((await refused(predicted({ inputs: {} }))).details, /is missing; the model has/);
  assert.match((await refused(predicted({ inputs: { ...inputs, x: {} } }))).details, /inputs\.x: no such input/);
  const classified = client.call(PREDICTION_SERVICE, 'Classify', { model_spec: { name: 'ride-duration' } });
  assert.match((await refused(classified)).details, /have no Classify/);
  type Status = { model_version_status: { version: string; state: string }[] };
  const states = await client.call<Status>(MODEL_SERVICE, 'GetModelStatus', { model_spec: { name: 'credit' } });
  assert.deepEqual(
    states.model_version_status.map(({ version, state }) => [version, state]),
    [['1', 'AVAILABLE']],
  );
});

test('the server is killed and restarted: requests fail at once, then are answered without a restart of the gateway', async (t) => {
  const port = await freePort();
  const start = () => startGateway({ GRPC_PORT: String(port) });
  const first = await start();
  await first.ready();
  const settings = { TF_SERVING_HOST: `127.0.0.1:${port}`, BACKEND_PROTOCOL };
  const front = await startGatewayFor(t, settings);
  await front.ready();
  assert.equal((await classify(front)).status, 200);
  await first.stop('SIGKILL');
  const failed = await classify(front);
  assert.deepEqual([failed.status, ((await failed.json()) as { kind: string }).kind], [503, 'model_unavailable']);
  const second = await start();
  t.after(() => second.stop());
  await until(async () => (await classify(front)).status === 200, 30_000);
  const { models } = (await (await fetch(`${front.url}/health/ready`)).json()) as { models: Record<string, State> };
  assert.equal(models['clothing-model']?.parity.state, 'proven');
});
type State = { readonly parity: { readonly state: string } };

/** A server that answers `y` after a time. */
async function startSlow(t: TestContext, y: number, delayMs: number) {
  const info = { dtype: 'DT_FLOAT', shape: [-1] } as const;
  const slow = await startOpenInference({
    inputs: { x: info },
    outputs: { y: info },
    onInfer: async () => {
      await sleep(delayMs);
      return { outputs: [{ name: 'y', datatype: 'FP32', shape: [1], contents: { fp32_contents: [y] } }] };
    },
  });
  t.after(() => slow.close());
  return slow;
}

test('a slow server is hedged, and a deadline ends what none answers', async (t) => {
  const [slow, quick] = [await startSlow(t, 1, 20_000), await startSlow(t, 2, 0)];
  const hosts = `${slow.target},${quick.target}`;
  const shared = { MODELS: await modelsFolder(t, { m: 'name: m\n' }), BACKEND_PROTOCOL };
  const hedged = await startGatewayFor(t, { ...shared, TF_SERVING_HOST: hosts, HEDGE_AFTER: '100ms' });
  await hedged.ready();
  await until(async () => {
    const answers = [await predict(hedged, { x: 1 }), await predict(hedged, { x: 1 })];
    for (const answer of answers) assert.deepEqual([answer.status, await answer.json()], [200, { y: 2 }]);
    return slow.calls.length > 0;
  });
  assert.match(await hedged.metrics(), /extra_attempts_total\{reason="hedge"\} [1-9]/);

  const alone = await startGatewayFor(t, { ...shared, TF_SERVING_HOST: slow.target, REQUEST_TIMEOUT: '1s' });
  await alone.ready();
  const late = await predict(alone, { x: 1 });
  assert.deepEqual([late.status, ((await late.json()) as { kind: string }).kind], [504, 'model_timeout']);
});

test('a model has its own servers of another protocol than the shared ones, and `models list` asks both', async (t) => {
  const own = await startSlow(t, 3, 0);
  const MODELS = await modelsFolder(t, {
    churn: 'name: churn\n',
    own: `name: own\nbackend: {host: "${own.target}", protocol: open-inference}\n`,
  });
  const front = await startGatewayFor(t, { MODELS, TF_SERVING_HOST: server.grpcTarget });
  await front.ready();
  assert.deepEqual(await (await predict(front, { x: 1 }, '?model=own')).json(), { y: 3 });
  const [record] = (await samplesOf('churn')).instances;
  assert.equal((await predict(front, record, '?model=churn')).status, 200);
  const env = { MODELS, TF_SERVING_HOST: server.grpcTarget };
  const { stdout, stderr } = await runCli(['models', 'list', '--json'], { env });
  type Listed = { model: string; versions: { version: number; folder: string | null; states: object }[] };
  const listed = (JSON.parse(stdout || stderr) as Listed[]).map(({ model, versions }) => [model, versions]);
  const row = (host: string) => ({ version: 1, folder: null, states: { [host]: 'AVAILABLE' } });
  assert.deepEqual(
    listed.map(([model, versions]) => [
      model,
      (versions as Listed['versions']).map(({ version, folder, states }) => ({ version, folder, states })),
    ]),
    [
      ['churn', [row(server.grpcTarget)]],
      ['own', [row(own.target)]],
    ],
  );
});
