/** Copies of requests to a shadow: it gets the same tensors, and nothing that it does reaches a client. */
import assert from 'node:assert/strict';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { lineSchema } from '../gateway/observe/prediction-log/schema.ts';
import { predict, predictImage, type RunningGateway } from './gateway.ts';
import { GrpcClient, PREDICTION_SERVICE } from './grpc-client.ts';
import { floatTensor, isWarmUp, type PredictCall } from './model-server.ts';
import { freePort } from './tf-serving/server.ts';
import { metric, PICTURE, scores, startTraffic, startVersions } from './traffic.ts';
import { until } from './until.ts';

const picture = await readFile(PICTURE);
const SHADOW = 'traffic: {stable: 1}\nshadow: {version: 2, share: 100%}';

const callsOf = (calls: readonly PredictCall[], version: number) =>
  calls.filter((call) => call.version === version && !isWarmUp(call));

/** Sends pictures, eight at a time. Each has to be answered by version 1. */
async function send(gateway: RunningGateway, count: number): Promise<void> {
  let left = count;
  async function caller(): Promise<void> {
    while (left > 0) {
      left -= 1;
      const response = await predictImage(gateway, picture);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('x-model-version'), '1');
      assert.deepEqual(await response.json(), { a: 3, b: 2, c: 1 });
    }
  }
  await Promise.all(Array.from({ length: 8 }, caller));
}

async function logFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'log-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test('a shadow gets the tensors of every protocol as they were sent, and its answers are compared', async (t) => {
  const server = await startVersions(t, [1, 2], (call) => scores(call, call.version === 1 ? [3, 2, 1] : [1, 2, 3]));
  const PREDICTION_LOG = await logFolder(t);
  const gateway = await startTraffic(t, server, SHADOW, { PREDICTION_LOG, GRPC_PORT: '0' });
  const copies = () => callsOf(server.calls, 2);
  const answered = () => callsOf(server.calls, 1);
  const b64 = picture.toString('base64');

  await send(gateway, 1);
  await until(() => copies().length === 1);
  const batch = await predict(gateway, { instances: [{ b64 }, { b64: 'AAAA' }, { b64 }] });
  assert.equal(batch.status, 200);
  await until(() => copies().length === 2);
  const client = new GrpcClient(gateway.grpcTarget);
  t.after(() => client.close());
  const tensor = { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: 1 }, { size: 8 }, { size: 8 }, { size: 3 }] } };
  const x = { ...tensor, tensor_content: Buffer.from(Float32Array.from({ length: 192 }, (_, i) => i + 1).buffer) };
  await client.call(PREDICTION_SERVICE, 'Predict', { model_spec: { name: 'pets' }, inputs: { x } });
  await until(() => copies().length === 3);

  const inputs = (calls: readonly PredictCall[]) => calls.map((call) => call.inputs.x);
  assert.deepEqual(inputs(copies()), inputs(answered()));
  assert.deepEqual(
    answered().map((call) => call.inputs.x?.shape[0]),
    [1, 2, 1],
  );

  const labels = { model: 'pets', version: '2', against: '1' };
  await until(
    async () => (await metric(gateway, 'tensorgate_comparisons_total', { ...labels, result: 'different' })) === 4,
  );
  assert.equal(await metric(gateway, 'tensorgate_comparison_distance_count', labels), 4);
  const role = { version: '2', role: 'shadow', outcome: 'ok' };
  assert.equal(await metric(gateway, 'tensorgate_version_requests_total', role), 3);

  await until(async () => (await comparisons(PREDICTION_LOG)).length === 4);
  const lines = await comparisons(PREDICTION_LOG);
  assert.deepEqual(lines.map(({ row }) => row).sort(), [0, 0, 0, 2]);
  for (const line of lines) {
    assert.deepEqual([line.model, line.version, line.against, line.top1_same], ['pets', 2, 1, false]);
    // Softmax of 3, 2, 1 is 0.6652, 0.2447, 0.0900.
    assert.ok(Math.abs((line.l1 ?? 0) - 2 * (0.665241 - 0.090031)) < 1e-5, String(line.l1));
    assert.ok((line.ms ?? -1) >= 0 && (line.against_ms ?? -1) >= 0);
  }
});

async function comparisons(folder: string) {
  const files = await Array.fromAsync(glob(path.join(folder, '*.jsonl*')));
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const lines = texts
    .flatMap((text) => text.split('\n').slice(0, -1))
    .map((line) => lineSchema.parse(JSON.parse(line)));
  return lines.flatMap((line) => (line.kind === 'comparison' ? line : []));
}

test('a request that names its version is not copied, and a share of 0 % copies nothing', async (t) => {
  const server = await startVersions(t, [1, 2], scores);
  const gateway = await startTraffic(t, server, SHADOW);
  const response = await predictImage(gateway, picture, {}, '?version=1');
  assert.equal(response.status, 200);
  await send(gateway, 1);
  await until(() => callsOf(server.calls, 2).length === 1);
  assert.equal(callsOf(server.calls, 1).length, 2);

  const none = await startTraffic(t, server, SHADOW.replace('100%', '0%'));
  await send(none, 20);
  assert.equal(callsOf(server.calls, 2).length, 1);
});

test('a shadow that hangs gets four copies at once; clients get all their answers, and copies go on when it is back', async (t) => {
  let isHanging = true;
  let atOnce = 0;
  let most = 0;
  const released = Promise.withResolvers<void>();
  const server = await startVersions(t, [1, 2], async (call) => {
    if (call.version !== 2 || isWarmUp(call) || !isHanging) return scores(call);
    atOnce += 1;
    most = Math.max(most, atOnce);
    await released.promise;
    return scores(call);
  });
  const gateway = await startTraffic(t, server, SHADOW);
  await send(gateway, 80);
  assert.equal(most, 4);
  assert.ok((await metric(gateway, 'tensorgate_shadow_dropped_total', { model: 'pets' })) >= 80 - 4 - 32);
  isHanging = false;
  released.resolve();
  await until(async () => {
    await send(gateway, 1);
    return (await metric(gateway, 'tensorgate_comparisons_total', { result: 'same' })) > 4;
  });
});

test('a shadow that answers garbage, or is not there, fails by itself', async (t) => {
  const server = await startVersions(t, [1, 2], (call) => {
    if (call.version === 1 || isWarmUp(call)) return scores(call);
    return callsOf(server.calls, 2).length % 2 === 0 ? { y: floatTensor([7], [1, 2, 3, 4, 5, 6, 7]) } : {};
  });
  const gateway = await startTraffic(t, server, SHADOW);
  await send(gateway, 40);
  const failed = { version: '2', role: 'shadow', outcome: 'error' };
  await until(async () => (await metric(gateway, 'tensorgate_version_requests_total', failed)) > 0);
  assert.equal(await metric(gateway, 'tensorgate_version_requests_total', { version: '1', outcome: 'error' }), 0);
  const warnings = gateway.log.filter(({ msg }) => msg === 'copies of requests fail; no client sees it');
  assert.equal(warnings.length, 1);

  const gone = `shadow: {version: 9, share: 100%, backend: {host: "127.0.0.1:${await freePort()}"}}`;
  const other = await startTraffic(t, server, gone.replace('shadow', 'traffic: {stable: 1}\nshadow'));
  await send(other, 40);
  const unreachable = { version: '9', role: 'shadow', outcome: 'error' };
  await until(async () => (await metric(other, 'tensorgate_version_requests_total', unreachable)) > 0);
});

test('a shadow may be on other servers', async (t) => {
  const server = await startVersions(t, [1], scores);
  const elsewhere = await startVersions(t, [9], scores);
  const shadow = `traffic: {stable: 1}\nshadow: {version: 9, share: 100%, backend: {host: "${elsewhere.target}"}}`;
  const gateway = await startTraffic(t, server, shadow);
  await send(gateway, 3);
  await until(() => elsewhere.calls.length === 3);
  await until(
    async () => (await metric(gateway, 'tensorgate_comparisons_total', { version: '9', result: 'same' })) === 3,
  );
});
