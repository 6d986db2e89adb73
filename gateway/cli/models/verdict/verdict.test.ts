import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Counter, Histogram, Registry } from 'prom-client';
import { runCli } from '../../../../tests/cli.ts';
import { modelsFolder } from '../../../../tests/models.ts';
import { versionMetrics } from '../../../observe/metrics/versions.ts';
import type { VerdictReport } from '../../verdict/report.ts';
import { samplesIn } from './exposition.ts';

const CARD = 'name: pets\nimage: {size: [8, 8], scale: tf}\nclasses: [cat, dog]\n';

type Answers = {
  readonly version: string;
  readonly role: string;
  readonly ok: number;
  readonly error?: number;
  readonly seconds: number;
};

/** The metrics of a gateway that answered so. */
function gatewayOf(answers: readonly Answers[], compared = { same: 0, different: 0 }): Registry {
  const registry = new Registry();
  new Counter({ name: 'tensorgate_requests_total', help: 'Requests.', registers: [registry] });
  const { versionRequests, versionPredictSeconds } = versionMetrics(registry);
  for (const { version, role, ok, error = 0, seconds } of answers) {
    const labels = { model: 'pets', version, role };
    versionRequests.inc({ ...labels, outcome: 'ok' }, ok);
    versionRequests.inc({ ...labels, outcome: 'error' }, error);
    for (let index = 0; index < ok; index += 1)
      versionPredictSeconds.observe(labels, seconds * (0.8 + 0.4 * (index / ok)));
  }
  const labelNames = ['model', 'version', 'against', 'result'];
  const comparisons = new Counter({
    name: 'tensorgate_comparisons_total',
    help: 'Top-1.',
    labelNames,
    registers: [registry],
  });
  const distance = new Histogram({
    name: 'tensorgate_comparison_distance',
    help: 'L1.',
    labelNames: labelNames.slice(0, 3),
    registers: [registry],
  });
  const pair = { model: 'pets', version: '4', against: '3' };
  for (const [result, count] of Object.entries(compared)) {
    comparisons.inc({ ...pair, result }, count);
    for (let index = 0; index < count; index += 1) distance.observe(pair, result === 'same' ? 0.1 : 1.1);
  }
  return registry;
}

/** Serves the metrics of gateways, at an address for each. */
async function served(t: TestContext, gateways: readonly Registry[]): Promise<readonly string[]> {
  const server = createServer(async ({ url }, response) => {
    response.end(await gateways[Number(url?.slice(1))]?.metrics());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return gateways.map((_, index) => `http://127.0.0.1:${port}/${index}`);
}

async function verdict(t: TestContext, traffic: string, gateways: readonly Registry[], ...args: readonly string[]) {
  const models = await modelsFolder(t, { pets: `${CARD}${traffic}` });
  const addresses = (await served(t, gateways)).flatMap((address) => ['--metrics', address]);
  return runCli(['models', 'verdict', 'pets', '--models', models, ...addresses, ...args]);
}

const CANARY = 'traffic: {stable: 3, canary: {version: 4, share: 10%}}\n';
const STABLE = { version: '3', role: 'stable', ok: 4500, seconds: 0.04 };

test('the counts of all replicas make one verdict, as a table and a sentence', async (t) => {
  const replicas = [
    gatewayOf([STABLE, { version: '4', role: 'canary', ok: 600, seconds: 0.04 }], { same: 291, different: 9 }),
    gatewayOf([STABLE, { version: '4', role: 'canary', ok: 400, seconds: 0.04 }], { same: 294, different: 6 }),
  ];
  const { stdout, code } = await verdict(t, CANARY, replicas);
  assert.match(stdout, /^ +VERSION 4 +VERSION 3 +COMPARED +95 % INTERVAL +BOUND$/m);
  assert.match(stdout, /^requests +1000 +9000$/m);
  assert.match(stdout, /^agreement +97\.5 % of 600 +95\.9 % to 98\.5 % +at least 95\.0 %$/m);
  assert.match(stdout, /^distance of scores +0\.125$/m);
  assert.match(
    stdout,
    /^promote: version 4 had 1000 requests; its error rate is 0\.0 percentage points above that of version 3, within the bound of 1\.0 \(95 % interval .*; z = .*, p = 0\.00\d\); its mean latency is 1\.00 times that of version 3, within .*; 97\.5 % of 600 best classes are those of version 3, within the bound of 95\.0 %/m,
  );
  assert.equal(code, 0);
});

test('errors, slowness, too few requests, and bounds of model.yaml', async (t) => {
  const one = (own: Partial<Answers>) => [
    gatewayOf([STABLE, { version: '4', role: 'canary', ok: 500, seconds: 0.04, ...own }]),
  ];
  const json = async (gateways: readonly Registry[], traffic = CANARY) =>
    JSON.parse((await verdict(t, traffic, gateways, '--json')).stdout) as VerdictReport;
  const failing = await verdict(t, CANARY, one({ error: 125 }));
  assert.equal(failing.code, 1);
  assert.match(
    failing.stdout,
    /^abort: version 4 had 625 requests; its error rate is 20\.0 percentage points above that of version 3, beyond the bound of 1\.0 /m,
  );
  const slow = await json(one({ seconds: 0.12 }));
  assert.deepEqual([slow.decision, slow.findings.map(({ state }) => state)], ['abort', ['within', 'beyond']]);
  const lenient = await json(one({ error: 125 }), `${CANARY}guard: {min_requests: 50, max_error_rate_increase: 50%}\n`);
  assert.deepEqual([lenient.decision, lenient.findings.length], ['promote', 1]);
  const few = await verdict(t, CANARY, one({ ok: 150 }));
  assert.equal(few.code, 3);
  assert.match(few.stdout, /^wait: version 4 had 150 requests, and needs 200$/m);
});

test('a shadow is compared with what was served; what is not tried, or not measured, is refused', async (t) => {
  const gateways = [
    gatewayOf([STABLE, { version: '4', role: 'shadow', ok: 500, seconds: 0.04 }], { same: 300, different: 200 }),
  ];
  const shadow = 'shadow: {version: 4, share: 20%}\n';
  const { stdout, code } = await verdict(t, shadow, gateways);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^abort: version 4 had 500 requests; 60\.0 % of 500 best classes are those of version 3, beyond /m,
  );
  for (const [traffic, given, args, message] of [
    ['', gateways, [], /^pets: model.yaml has neither a canary nor a shadow$/m],
    [shadow, gateways, ['--version', '5'], /^pets: version 5 is not tried; model.yaml has shadow 4$/m],
    [shadow, [gatewayOf([])], [], /^pets: no version answered requests that name none; --against N /m],
    [shadow, [new Registry()], [], /has no metrics of a gateway \(status 200\); they are on ADMIN_PORT$/m],
    [shadow, [], ['--metrics', 'http://127.0.0.1:1/metrics'], /^--metrics http:.*: does not answer \(/m],
  ] as const) {
    const { code, stderr } = await verdict(t, traffic, given, ...args);
    assert.match(stderr, message);
    assert.equal(code, 2);
  }
});

test('the text of metrics is read with its escapes', () => {
  const text = [
    '# TYPE tensorgate_version_requests_total counter',
    String.raw`tensorgate_version_requests_total{model="a\"}\\n\n",version="1",role="stable",outcome="ok"} 7`,
    'tensorgate_other_total{model="a"} 1',
    'tensorgate_version_predict_seconds_bucket{le="+Inf",model="b",version="1",role="stable"} 2e+3 1700000000000',
  ].join('\n');
  assert.deepEqual(samplesIn(text, 'a"}\\n\n'), [
    {
      name: 'tensorgate_version_requests_total',
      labels: { model: 'a"}\\n\n', version: '1', role: 'stable', outcome: 'ok' },
      value: 7,
    },
  ]);
  assert.deepEqual(
    samplesIn(text, 'b').map(({ value }) => value),
    [2000],
  );
});
