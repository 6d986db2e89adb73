/** The split of model.yaml on every protocol: each user gets the same version, by whatever protocol it asks. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { placeOf } from '../gateway/model/traffic.ts';
import type { PredictionLine } from '../gateway/observe/prediction-log/schema.ts';
import { type RunningGateway, startGatewayFor } from './gateway.ts';
import { GrpcClient, INFERENCE_SERVICE, PREDICTION_SERVICE } from './grpc-client.ts';
import { floatTensor, startModelServer } from './model-server.ts';
import { modelsFolder } from './models.ts';
import { until } from './until.ts';

const FORM = {
  inputs: { x: { dtype: 'DT_FLOAT', shape: [-1] } },
  outputs: { y: { dtype: 'DT_FLOAT', shape: [-1] } },
};

type OtherForm = { inputs: { z: { dtype: string; shape: number[] } }; outputs: typeof FORM.outputs };

/** A gateway before versions 1 and 2 of a table, whose output is the version. `sticky`: of the traffic, half for version 2. */
async function startSplit(
  t: TestContext,
  sticky: string,
  settings: Record<string, string> = {},
  canary: typeof FORM | OtherForm = FORM,
): Promise<RunningGateway> {
  const served = {
    versions: new Map<number, typeof FORM | OtherForm>([
      [1, FORM],
      [2, canary],
    ]),
    labels: new Map(),
  };
  const model = await startModelServer({
    ...FORM,
    served,
    onPredict: ({ version, inputs }) => {
      const rows = Object.values(inputs)[0]?.shape[0] ?? 1;
      return { y: floatTensor([rows], Array<number>(rows).fill(version)) };
    },
  });
  t.after(() => model.close());
  const card = `name: churn\ntraffic: {stable: 1, canary: {version: 2, share: 50%}, sticky: ${sticky}}\n`;
  const MODELS = await modelsFolder(t, { churn: card });
  const gateway = await startGatewayFor(t, {
    MODELS,
    TF_SERVING_HOST: model.target,
    GRPC_PORT: '0',
    MODEL_NAME: 'churn',
    AIP_HEALTH_ROUTE: '/aip/health',
    AIP_PREDICT_ROUTE: '/aip/predict',
    ...settings,
  });
  await until(async () => /canary_share\{model="churn",version="2"\} 0.5/.test(await gateway.metrics()));
  return gateway;
}

/** Users of both versions. */
const USERS = Array.from({ length: 12 }, (_, index) => `user-${index}`);
const versionOf = (user: string) => (placeOf('churn', user) < 0.5 ? 2 : 1);
assert.equal(new Set(USERS.map(versionOf)).size, 2);

type Sent = { readonly user: string; readonly headers: Record<string, string>; readonly query: string };
type Send = (gateway: RunningGateway, client: GrpcClient, sent: Sent) => Promise<unknown>;

const post =
  (url: string, body: (user: string) => object, read: (answer: never) => unknown): Send =>
  async (gateway, _client, { user, headers, query }) => {
    const answer = await fetch(`${gateway.url}${url}${query}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body(user)),
    });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    assert.equal(answer.headers.get('x-model-version'), String(read(JSON.parse(text) as never)));
    return Number(answer.headers.get('x-model-version'));
  };

const row = (id: string) => ({ x: 7, id });
const byName = ({ predictions: [first] }: { predictions: [{ y: number } | number] }) =>
  typeof first === 'number' ? first : first.y;
const COLUMN = { name: 'x', shape: [1], datatype: 'FP32' };

const PROTOCOLS: Readonly<Record<string, Send>> = {
  '/predict': post('/predict', (id) => ({ instances: [row(id)] }), byName),
  'Vertex AI': post('/aip/predict', (id) => ({ instances: [row(id)] }), byName),
  SageMaker: post('/invocations', (id) => ({ instances: [row(id)] }), byName),
  MLflow: post('/invocations', (id) => ({ dataframe_records: [row(id)] }), byName),
  'TF-Serving REST': post('/v1/models/churn:predict', (id) => ({ instances: [row(id)] }), byName),
  'Open Inference REST': post(
    '/v2/models/churn/infer',
    (id) => ({ id, inputs: [{ ...COLUMN, data: [7] }] }),
    ({ outputs: [first] }: { outputs: [{ data: [number] }] }) => first.data[0],
  ),
  async 'Open Inference gRPC'(_gateway, client, { user, headers }) {
    const inputs = [{ ...COLUMN, contents: { fp32_contents: [7] } }];
    const request = { model_name: 'churn', id: user, inputs };
    const { model_version: version } = await client.call(INFERENCE_SERVICE, 'ModelInfer', request, {
      metadata: headers,
    });
    return Number(version);
  },
  async 'TF-Serving gRPC'(_gateway, client, { headers }) {
    const x = { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: 1 }] }, float_val: [7] };
    const request = { model_spec: { name: 'churn' }, inputs: { x } };
    type Answer = { model_spec: { version: { value: string } }; outputs: { y: { float_val: number[] } } };
    const answer = await client.call<Answer>(PREDICTION_SERVICE, 'Predict', request, { metadata: headers });
    assert.deepEqual(answer.outputs.y.float_val, [Number(answer.model_spec.version.value)]);
    return Number(answer.model_spec.version.value);
  },
};

async function assertSplit(gateway: RunningGateway, names: readonly string[], sentBy: (user: string) => Partial<Sent>) {
  const client = new GrpcClient(gateway.grpcTarget);
  try {
    for (const name of names) {
      for (const user of USERS) {
        const sent = { user: '', headers: {}, query: '', ...sentBy(user) };
        assert.equal(await PROTOCOLS[name]?.(gateway, client, sent), versionOf(user), `${name}, ${user}`);
      }
    }
  } finally {
    client.close();
  }
}

const ALL = Object.keys(PROTOCOLS);
const HTTP = ALL.filter((name) => !name.includes('gRPC'));

test('a header, or metadata over gRPC, keeps a user on one version on all protocols', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'canary-log-'));
  t.after(() => rm(folder, { recursive: true }));
  const gateway = await startSplit(t, 'header X-User-Id', { PREDICTION_LOG: folder });
  await assertSplit(gateway, ALL, (user) => ({ headers: { 'x-user-id': user } }));
  const answered = gateway.log.filter(({ msg }) => msg === 'answered');
  assert.deepEqual(
    new Set(answered.map(({ version, traffic }) => `${version} ${traffic}`)),
    new Set(['1 stable', '2 canary']),
  );
  // A named version is not split.
  const client = new GrpcClient(gateway.grpcTarget);
  t.after(() => client.close());
  const [canary = ''] = USERS.filter((user) => versionOf(user) === 2);
  const sent = { user: canary, headers: { 'x-user-id': canary }, query: '?version=1' };
  assert.equal(await PROTOCOLS['/predict']?.(gateway, client, sent), 1);

  const lines = async () => {
    const texts = await Promise.all((await readdir(folder)).map((name) => readFile(path.join(folder, name), 'utf8')));
    return texts.flatMap((text) => text.split('\n').slice(0, -1)).map((line) => JSON.parse(line) as PredictionLine);
  };
  await until(async () => (await lines()).length === ALL.length * USERS.length + 1);
  const logged = await lines();
  for (const { version, traffic } of logged.slice(0, -1)) {
    assert.equal(traffic?.role, version === 2 ? 'canary' : 'stable');
    // The hash tells the side.
    assert.equal(Number.parseInt(traffic?.sticky_key_hash?.slice(0, 12) ?? '', 16) / 2 ** 48 < 0.5, version === 2);
  }
  assert.deepEqual([logged.at(-1)?.version, logged.at(-1)?.traffic], [1, { role: 'named' }]);
});

test('a parameter of the query keeps a user on one version on all protocols over HTTP', async (t) => {
  const gateway = await startSplit(t, 'query user');
  await assertSplit(gateway, HTTP, (user) => ({ query: `?user=${user}` }));
});

test('the id of the first instance keeps a user on one version on all protocols that have ids', async (t) => {
  const gateway = await startSplit(t, 'instance id');
  const withIds = ALL.filter((name) => name !== 'TF-Serving gRPC');
  await assertSplit(gateway, withIds, (user) => ({ user }));
  // Without an id of an instance the request's own id is the key, wherever it comes from.
  await assertSplit(gateway, ['TF-Serving gRPC'], (user) => ({ headers: { 'x-request-id': user } }));
});

test('a canary with other inputs gets no request whose key is in its body, and fails none', async (t) => {
  const other = { inputs: { z: { dtype: 'DT_FLOAT', shape: [-1] } }, outputs: FORM.outputs };
  const gateway = await startSplit(t, 'instance id', {}, other);
  const client = new GrpcClient(gateway.grpcTarget);
  t.after(() => client.close());
  for (const user of USERS) {
    const sent = { user, headers: {}, query: '' };
    for (const name of ['/predict', 'Open Inference gRPC'])
      assert.equal(await PROTOCOLS[name]?.(gateway, client, sent), 1);
  }
});
