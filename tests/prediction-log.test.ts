/** The prediction log of a gateway: all protocols, and what happens when lines cannot be written. */
import assert from 'node:assert/strict';
import { createHash, hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { lineSchema, type PredictionLine } from '../gateway/observe/prediction-log/schema.ts';
import { predict, predictImage, type RunningGateway, startGateway } from './gateway.ts';
import { GrpcClient, INFERENCE_SERVICE, PREDICTION_SERVICE } from './grpc-client.ts';
import { floatTensor, type ModelServer, startModelServer, XCEPTION } from './model-server.ts';
import { CARD, CLASSES, modelsFolder } from './models.ts';
import { type Origin, startOrigin } from './origin.ts';
import { until } from './until.ts';

const JPEG = await readFile(new URL('golden/images/jpg-420.jpg', import.meta.url));
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SCORES = CLASSES.map((_, index) => index);
const RECORD_MODEL = {
  inputs: { tenure: { dtype: 'DT_FLOAT', shape: [-1] }, ssn: { dtype: 'DT_FLOAT', shape: [-1] } },
  outputs: { p: { dtype: 'DT_FLOAT', shape: [-1] } },
};
const RECORD_CARD = 'name: churn\nredact: [ssn]\n';

let model: ModelServer;
let origin: Origin;
let settings: Record<string, string>;

before(async (t) => {
  origin = await startOrigin({ '/a.jpg': JPEG });
  model = await startModelServer({
    ...XCEPTION,
    version: 3,
    models: { churn: RECORD_MODEL },
    onPredict({ inputs, spec }) {
      const [input] = Object.values(inputs);
      const count = input?.shape[0] ?? 1;
      if (spec.name === 'churn')
        return {
          p: floatTensor(
            [count],
            Array.from({ length: count }, () => 0.5),
          ),
        };
      return { dense_7: floatTensor([count, 10], Array.from({ length: count }, () => SCORES).flat()) };
    },
  });
  settings = {
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t as TestContext, { 'clothing-model': CARD, churn: RECORD_CARD }),
    FETCH_ALLOW_PRIVATE: 'true',
  };
});

after(async () => {
  model.close();
  await origin.close();
});

/** A gateway that a failed test does not leave behind. */
async function start(t: TestContext, own: Record<string, string>, ulimit?: string): Promise<RunningGateway> {
  const gateway = await startGateway({ ...settings, ...own }, ulimit);
  t.after(() => gateway.process.kill('SIGKILL'));
  await gateway.ready();
  return gateway;
}

async function logFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'prediction-log-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** All whole lines of a folder, in the order of its files. */
async function linesIn(folder: string): Promise<PredictionLine[]> {
  const names = (await readdir(folder)).sort();
  const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')));
  const lines = texts.flatMap((text) => text.split('\n').slice(0, -1));
  return lines.map((line) => lineSchema.parse(JSON.parse(line)) as PredictionLine);
}

const post = ({ url }: RunningGateway, path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

const RECORD = { tenure: 24, ssn: 123 };
const COLUMNS = ['tenure', 'ssn'].map((name) => ({ name, shape: [1], datatype: 'FP32', data: [7] }));

/** One request of each protocol, with its id. */
async function sendAll(gateway: RunningGateway): Promise<void> {
  const id = (name: string) => ({ 'X-Request-Id': name });
  const answers = [
    await predictImage(
      gateway,
      JPEG,
      { ...id('image'), traceparent: `00-${TRACE}-b7ad6b7169203331-01` },
      '?model=clothing-model',
    ),
    await post(
      gateway,
      '/predict?model=clothing-model',
      { url: `${origin.url}/a.jpg?token=secret`, id: 'sku' },
      id('url'),
    ),
    await post(gateway, '/predict?model=churn', { instances: [{ ...RECORD, id: 7 }, RECORD] }, id('records')),
    await post(
      gateway,
      '/invocations',
      { instances: [RECORD] },
      {
        ...id('invocations'),
        'X-Amzn-SageMaker-Target-Model': 'churn',
      },
    ),
    await post(gateway, '/v1/models/churn:predict', { instances: [RECORD] }, id('tf-serving')),
    await post(gateway, '/v2/models/churn/infer', { id: 'mine', inputs: COLUMNS }, id('open-inference')),
  ];
  for (const answer of answers) assert.equal(answer.status, 200, await answer.text());
  const client = new GrpcClient(gateway.grpcTarget);
  const tensor = { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: 1 }] }, float_val: [7] };
  const request = { model_spec: { name: 'churn' }, inputs: { tenure: tensor, ssn: tensor } };
  await client.call(PREDICTION_SERVICE, 'Predict', request, { metadata: { 'x-request-id': 'grpc' } });
  const inputs = COLUMNS.map(({ data, ...input }) => ({ ...input, contents: { fp32_contents: data } }));
  const infer = { model_name: 'churn', inputs };
  await client.call(INFERENCE_SERVICE, 'ModelInfer', infer, { metadata: { 'x-request-id': 'grpc-infer' } });
  client.close();
}

test('every protocol has a line for each prediction, and SIGTERM writes the last ones', async (t) => {
  const folder = await logFolder(t);
  const gateway = await start(t, { GRPC_PORT: '0', PREDICTION_LOG: folder });
  await sendAll(gateway);
  assert.equal(await gateway.stop(), 0);
  assert.ok((await readdir(folder)).every((name) => name.endsWith('.jsonl')));
  const lines = await linesIn(folder);
  assert.deepEqual(
    lines.map(({ id, request_id, route, model: name, version }) => [request_id, id, route, name, version]),
    [
      ['image', 'image', '/predict', 'clothing-model', 3],
      ['url', 'sku', '/predict', 'clothing-model', 3],
      ['records', '7', '/predict', 'churn', 3],
      ['records', 'records[1]', '/predict', 'churn', 3],
      ['invocations', 'invocations', '/invocations', 'churn', 3],
      ['tf-serving', 'tf-serving', '/v1/models/{model}:predict', 'churn', 3],
      ['open-inference', 'mine', '/v2/models/{model}/infer', 'churn', 3],
      ['grpc', 'grpc', `/${PREDICTION_SERVICE}/Predict`, 'churn', 3],
      ['grpc-infer', 'grpc-infer', `/${INFERENCE_SERVICE}/ModelInfer`, 'churn', 3],
    ],
  );
  const traces = model.calls.map(({ raw }) => String(raw.metadata.get('traceparent')[0]));
  assert.ok(traces.some((traceparent) => new RegExp(`^00-${TRACE}-[\\da-f]{16}-01$`).test(traceparent)));
  assert.ok(traces.some((traceparent) => new RegExp(`^00-${lines.at(-2)?.trace_id}-`).test(traceparent)));
  const [image, url, record] = lines;
  assert.deepEqual([image?.trace_id, image?.class], [TRACE, CLASSES.at(-1)]);
  assert.ok(image?.input.kind === 'picture' && image.input.sha256 === hash('sha256', JPEG));
  assert.ok(url?.input.kind === 'picture' && url.input.url === `${origin.url}/a.jpg`);
  assert.deepEqual(Object.keys(url?.timings ?? {}), ['fetch_ms', 'decode_ms', 'predict_ms']);
  assert.deepEqual(record?.input, { kind: 'tensors', values: { tenure: 24 }, digests: {} });
  assert.deepEqual(record?.outputs, { values: { p: 0.5 }, digests: {} });
  assert.equal(lines.find(({ id }) => id === 'grpc')?.input.kind, 'relayed');
  assert.doesNotMatch(JSON.stringify(lines), /secret/);
});

test('a kill loses only what was answered in the last second, and no line in part', async (t) => {
  const folder = await logFolder(t);
  const gateway = await start(t, { PREDICTION_LOG: folder });
  const send = (name: string, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        post(gateway, '/predict?model=churn', RECORD, { 'X-Request-Id': `${name}-${index}` }),
      ),
    );
  await send('first', 100);
  const answeredMs = performance.now();
  await until(async () => (await linesIn(folder)).length === 100);
  t.diagnostic(`came: on disk ${Math.round(performance.now() - answeredMs)} ms after the answer`);
  await send('second', 50);
  gateway.process.kill('SIGKILL');
  await once(gateway.process, 'exit');
  const ids = new Set((await linesIn(folder)).map(({ id }) => id));
  for (let index = 0; index < 100; index += 1) assert.ok(ids.has(`first-${index}`));
  t.diagnostic(`came: ${ids.size - 100} of 50 lines of the last moment`);
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(path.join(folder, name), 'utf8')));
  assert.ok(texts.every((text) => text === '' || text.endsWith('\n')));
});

test('a full disk costs no request, is told once, and its lines are counted', async (t) => {
  const folder = await logFolder(t);
  const gateway = await start(t, { PREDICTION_LOG: folder }, '-f 0');
  const failed = async () => Number(/outcome="write_failed"\} (\d+)/.exec(await gateway.metrics())?.[1]);
  for (let sent = 10; sent <= 30; sent += 10) {
    for (let request = 0; request < 10; request += 1)
      assert.equal((await predict(gateway, RECORD, '?model=churn')).status, 200);
    await until(async () => (await failed()) === sent);
  }
  assert.equal(await gateway.stop(), 0);
  const told = gateway.log.filter(({ msg }) => String(msg).startsWith('the prediction log cannot be written'));
  assert.deepEqual(
    told.map(({ level, cause }) => [level, (cause as { code: string }).code]),
    [['error', 'EFBIG']],
  );
  assert.deepEqual(await readdir(folder), []);
});

test('a collector that is dead or hangs costs no request, and delays the stop by seconds at most', async (t) => {
  const hanging = createServer(() => undefined);
  await once(hanging.listen(0, '127.0.0.1'), 'listening');
  t.after(() => hanging.closeAllConnections());
  t.after(() => hanging.close());
  const { port } = hanging.address() as AddressInfo;
  for (const url of ['http://127.0.0.1:1/', `http://me:secret@127.0.0.1:${port}/`]) {
    const gateway = await start(t, { PREDICTION_LOG: url });
    for (let request = 0; request < 30; request += 1)
      assert.equal((await predict(gateway, RECORD, '?model=churn')).status, 200);
    const startMs = performance.now();
    assert.equal(await gateway.stop(), 0);
    assert.ok(performance.now() - startMs < 20_000);
    assert.doesNotMatch(JSON.stringify(gateway.log), /secret/);
  }
});

test('batches arrive at a collector, and labels too', async (t) => {
  const events: { readonly type: string; readonly data: { readonly id: string } }[] = [];
  const collector = createServer(async (request, response) => {
    events.push(...JSON.parse(Buffer.concat(await request.toArray()).toString()));
    response.writeHead(202).end();
  });
  await once(collector.listen(0, '127.0.0.1'), 'listening');
  t.after(() => collector.close());
  const { port } = collector.address() as AddressInfo;
  const gateway = await start(t, { PREDICTION_LOG: `http://127.0.0.1:${port}` });
  await post(gateway, '/predict?model=churn', RECORD, { 'X-Request-Id': 'a' });
  await post(gateway, '/feedback', { id: 'a', label: 'true' });
  assert.equal(await gateway.stop(), 0);
  assert.deepEqual(
    events.map(({ type, data }) => [type, data.id]),
    [
      ['org.kubeflow.serving.inference.response', 'a'],
      ['org.kubeflow.serving.feedback', 'a'],
    ],
  );
});

test('on stdout the lines are between those of the log', async (t) => {
  const gateway = await start(t, { PREDICTION_LOG: 'stdout' });
  await predict(gateway, RECORD, '?model=churn');
  assert.equal((await post(gateway, '/feedback', { id: 'a', label: 'b' })).status, 202);
  assert.equal(await gateway.stop(), 0);
  const lines = gateway.log.filter(({ kind }) => kind === 'prediction' || kind === 'feedback');
  assert.deepEqual(
    lines.map((line) => lineSchema.parse(line).kind),
    ['prediction', 'feedback'],
  );
});

test('labels are counted by the version that predicted, and as unknown where it was another replica', async (t) => {
  const log = { PREDICTION_LOG: await logFolder(t) };
  const [gateway, replica] = [await start(t, log), await start(t, log)];
  await predictImage(gateway, JPEG, { 'X-Request-Id': 'a' }, '?model=clothing-model');
  await predictImage(gateway, JPEG, { 'X-Request-Id': 'b' }, '?model=clothing-model');
  const best = CLASSES.at(-1);
  const labels = [
    { id: 'a', label: best },
    { id: 'b', label: 'another' },
    { id: 'b', label: best },
    { id: 'c', label: best },
  ];
  assert.equal((await post(gateway, '/feedback', labels)).status, 202);
  assert.equal((await post(replica, '/feedback', labels.slice(0, 1))).status, 202);
  const counted = async (one: RunningGateway) => (await one.metrics()).match(/^tensorgate_feedback_labels_total.*/gm);
  assert.deepEqual((await counted(gateway))?.sort(), [
    'tensorgate_feedback_labels_total{model="",version="",outcome="unknown"} 1',
    'tensorgate_feedback_labels_total{model="clothing-model",version="3",outcome="right"} 1',
    'tensorgate_feedback_labels_total{model="clothing-model",version="3",outcome="wrong"} 1',
  ]);
  assert.deepEqual(await counted(replica), [
    'tensorgate_feedback_labels_total{model="",version="",outcome="unknown"} 1',
  ]);
});

test('labels pass the door: keys, types, fields; without a log there is no route for them', async (t) => {
  const folder = await logFolder(t);
  const keysFile = path.join(folder, 'keys.yaml');
  const key = 'tg_shop-key-of-the-test';
  await writeFile(keysFile, `- name: shop\n  sha256: ${createHash('sha256').update(key).digest('hex')}\n`);
  const log = { PREDICTION_LOG: path.join(folder, 'log') };
  const gateway = await start(t, { ...log, API_KEYS_FILE: keysFile, MAX_BODY_BYTES: '1kB' });
  const label = { id: 'a', label: 'b' };
  const withKey = { Authorization: `Bearer ${key}` };
  const answers = [
    await post(gateway, '/feedback', label),
    await post(gateway, '/feedback', [label, { id: 'b', label: 3 }], withKey),
    await post(gateway, '/feedback', [label, { id: 'b' }], withKey),
    await post(gateway, '/feedback', label, { ...withKey, 'Content-Type': 'text/plain' }),
    await post(
      gateway,
      '/feedback',
      Array.from({ length: 100 }, () => label),
      withKey,
    ),
  ];
  const told = await Promise.all(
    answers.map(async (answer) => [answer.status, (await answer.json()) as { detail?: string }] as const),
  );
  assert.deepEqual(
    told.map(([status]) => status),
    [401, 202, 400, 415, 413],
  );
  assert.deepEqual(told[1]?.[1], { accepted: 2 });
  assert.match(told[2]?.[1].detail ?? '', /^\[1\]\.label: needs/);
  const off = await start(t, {});
  const answer = await post(off, '/feedback', label);
  assert.equal(answer.status, 404);
  assert.match(((await answer.json()) as { detail: string }).detail, /PREDICTION_LOG/);
});
