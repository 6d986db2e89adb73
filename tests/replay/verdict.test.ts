/** `tensorgate models verdict` of a real canary: from the gateway's metrics, and from a real Prometheus. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { VerdictReport } from '../../gateway/cli/verdict/report.ts';
import { runCli } from '../cli.ts';
import { startGatewayFor } from '../gateway.ts';
import { modelsFolder } from '../models.ts';
import { needsPrometheus, startPrometheus } from '../prometheus.ts';
import { until } from '../until.ts';
import { CARD, sendRecords, serverFor } from './pets.ts';

const TRAFFIC =
  'traffic: {stable: 3, canary: {version: 4, share: 50%}}\nguard: {min_requests: 100, max_error_rate_increase: 5%}\n';
const records = (count: number) => Array.from({ length: count }, (_, index) => ({ x: index + 1 }));

async function canaryFor(t: TestContext) {
  const server = await serverFor(t);
  const models = await modelsFolder(t, { pets: `${CARD}${TRAFFIC}` });
  const gateway = await startGatewayFor(t, { TF_SERVING_HOST: server.target, MODELS: models, DEFAULT_MODEL: 'pets' });
  await gateway.ready();
  const verdict = async (...from: readonly string[]) => {
    const { stdout, stderr, code } = await runCli(['models', 'verdict', 'pets', '--models', models, ...from, '--json']);
    assert.notEqual(stdout, '', stderr);
    return { code, ...(JSON.parse(stdout) as VerdictReport) };
  };
  return { gateway, verdict };
}

test('the metrics of a gateway count the requests of the canary and of the stable version, and no others', async (t) => {
  const { gateway, verdict } = await canaryFor(t);
  await sendRecords(gateway, records(500), 1);
  const named = await fetch(`${gateway.url}/predict?model=pets&version=4`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"instances":[{"x":1}]}',
  });
  assert.equal(named.status, 200);
  const { candidate, reference, decision, reason, code } = await verdict('--metrics', `${gateway.adminUrl}/metrics`);
  assert.deepEqual([candidate.version, reference.version], [4, 3]);
  assert.equal(candidate.requests + reference.requests, 500);
  // Of 500 at 50 %: the standard deviation is 11.
  assert.ok(Math.abs(candidate.requests - 250) < 60, `${candidate.requests} of 500`);
  assert.deepEqual([candidate.errors, decision, code], [0, 'promote', 0], reason);
});

test('a Prometheus gives the same verdict', needsPrometheus, async (t) => {
  const { gateway, verdict } = await canaryFor(t);
  const url = new URL(gateway.adminUrl);
  // Growth is seen from the second scrape of a series on.
  await sendRecords(gateway, records(50), 1);
  const prometheus = await startPrometheus({ targets: [url.host], window: '60s', interval: '1s' });
  t.after(() => prometheus.stop());
  const counted = async () => {
    const [sum] = await prometheus.query('sum(tensorgate_version_requests_total{model="pets"})');
    return sum?.value;
  };
  await until(async () => (await counted()) === 50, 30_000);
  await sendRecords(gateway, records(600), 1);
  await until(async () => (await counted()) === 650, 30_000);
  const { candidate, reference, decision, reason } = await verdict('--prometheus', prometheus.url, '--window', '5m');
  const requests = candidate.requests + reference.requests;
  assert.ok(requests > 400 && requests < 800, `${requests} requests`);
  assert.ok((candidate.latencyMs?.mean ?? 0) > 0);
  assert.deepEqual([candidate.errors, decision], [0, 'promote'], reason);
});
