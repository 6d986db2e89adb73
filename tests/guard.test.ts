/** The guard of canaries: real requests, with a canary that fails, is slow, or gives other scores. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { predictImage, type RunningGateway } from './gateway.ts';
import { isWarmUp, type PredictCall } from './model-server.ts';
import { metric, PICTURE, scores, startTraffic, startVersions } from './traffic.ts';
import { until } from './until.ts';

const picture = await readFile(PICTURE);
const BOUNDS =
  'window: 2m, min_requests: 40, max_error_rate_increase: 1%, max_latency_ratio: 1.5, min_top1_agreement: 95%';
const TRAFFIC = `traffic: {stable: 1, canary: {version: 2, share: 50%}}\nguard: {${BOUNDS}}`;

/** Sends pictures, four at a time, until `isEnough`. Resolves to the versions of the answers. */
async function send(gateway: RunningGateway, isEnough: (answered: number) => boolean | Promise<boolean>) {
  const versions: (string | null)[] = [];
  async function caller(): Promise<void> {
    while (!(await isEnough(versions.length))) {
      const response = await predictImage(gateway, picture);
      await response.arrayBuffer();
      versions.push(response.headers.get('x-model-version'));
    }
  }
  await Promise.all(Array.from({ length: 4 }, caller));
  return versions;
}

async function startCanary(t: TestContext, canary: (call: PredictCall) => object | Promise<object>) {
  const server = await startVersions(t, [1, 2], async (call) => {
    await sleep(isWarmUp(call) ? 0 : 10);
    return call.version === 2 && !isWarmUp(call) ? canary(call) : scores(call);
  });
  return startTraffic(t, server, TRAFFIC);
}

async function canaryProblem({ url }: RunningGateway): Promise<string | undefined> {
  const { models } = (await (await fetch(`${url}/health/ready`)).json()) as {
    models: { pets: { canary?: { problem?: string } } };
  };
  return models.pets.canary?.problem;
}

const withdrawals = (gateway: RunningGateway, reason?: string) =>
  metric(gateway, 'tensorgate_guard_withdrawals_total', reason === undefined ? {} : { reason });

let failures = 0;
for (const [what, reason, canary] of [
  [
    'fails one request in five',
    'errors',
    (call: PredictCall) => {
      failures += 1;
      if (failures % 5 === 0) throw { code: status.INTERNAL, details: 'injected' };
      return scores(call);
    },
  ],
  ['is twice as slow', 'latency', (call: PredictCall) => sleep(20).then(() => scores(call))],
  ['has shuffled scores', 'agreement', (call: PredictCall) => scores(call, [1, 3, 2])],
] as const)
  test(`a canary that ${what} loses its share, and the log says why`, async (t) => {
    const gateway = await startCanary(t, canary);
    const answered = await send(gateway, async () => (await withdrawals(gateway)) > 0);
    assert.equal(await withdrawals(gateway, reason), 1);
    const event = gateway.log.find(({ msg }) => msg === 'the canary has lost its share');
    assert.deepEqual([event?.model, event?.version, event?.reason], ['pets', 2, reason]);
    t.diagnostic(`after ${answered.length} requests: ${event?.detail}`);
    const versions = await send(gateway, (answered) => answered >= 40);
    assert.deepEqual(new Set(versions), new Set(['1']));
    await until(
      async () => (await canaryProblem(gateway))?.startsWith('the guard has taken its share: version 2') === true,
    );
    assert.equal(await metric(gateway, 'tensorgate_canary_share', { version: '2' }), 0);
  });

test('a good canary keeps its share', async (t) => {
  const gateway = await startCanary(t, (call) => scores(call));
  const versions = await send(gateway, (answered) => answered >= 160);
  assert.equal(await withdrawals(gateway), 0);
  assert.equal(await canaryProblem(gateway), undefined);
  const canaries = versions.filter((version) => version === '2').length;
  assert.ok(canaries > 50 && canaries < 110, `${canaries} of 160`);
  assert.ok(
    (await metric(gateway, 'tensorgate_comparisons_total', { version: '2', against: '1', result: 'same' })) > 40,
  );
});
