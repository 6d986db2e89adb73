/** The dashboards on a real Prometheus, which scrapes two gateways and a model server under traffic. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readCards } from '../../gateway/model/folders.ts';
import { startServer } from '../../serving/embedded/testing/server.ts';
import { type RunningGateway, startGateway } from '../gateway.ts';
import { startOrigin } from '../origin.ts';
import { freePort } from '../tf-serving/server.ts';
import { until } from '../until.ts';
import { readDashboards } from './panels.ts';
import { type Job, options, type Prometheus, startPrometheus } from './prometheus.ts';
import { startTraffic } from './traffic.ts';

const MODELS = path.resolve(import.meta.dirname, '../../serving/models');
const JPEG = await readFile(new URL('../golden/images/jpg-420.jpg', import.meta.url));

/** Panels that stay empty here, and why. Their metrics are checked to exist. */
const EMPTY: Readonly<Record<string, string>> = {
  'Alerts that fire': 'nothing is wrong for long enough',
  'Share of the requests that a canary should get': 'no model.yaml has traffic',
  'Same best class, of the predictions that two versions made': 'no model.yaml has a shadow',
  'Distance of the probabilities, mean': 'no model.yaml has a shadow',
  'Copies per second that were not compared, by reason': 'no model.yaml has a shadow',
  'Gateways that have withdrawn a canary, by reason': 'no model.yaml has a guard',
  'Decoders lost in the time shown, by reason': 'no decoder crashes',
  'Extra attempts per second, by reason': 'the model server answers',
  'Time of a request: 99th percentile, by model': 'the embedded server does not count it: tf-serving.test.ts',
  'Time of the graph: 99th percentile, by model': 'the embedded server does not count it: tf-serving.test.ts',
  'Requests that share a run: mean': 'the embedded server does not count it: tf-serving.test.ts',
  'Versions loaded and failed, by server': 'the embedded server does not count it: tf-serving.test.ts',
};

/** Metrics of TF-Serving. The embedded server has the first. */
const OF_TF_SERVING = [
  ':tensorflow:serving:request_count',
  ':tensorflow:serving:request_latency_bucket',
  ':tensorflow:serving:runtime_latency_bucket',
  ':tensorflow:serving:batching_session:wrapped_run_count',
  ':tensorflow:cc:saved_model:load_attempt_count',
];

const dashboards = await readDashboards();

/** What was started, ended in reverse. `after` of node:test would run at the end of the hook that calls it. */
const ends: (() => unknown)[] = [];
const hooks = { after: (end: () => unknown) => void ends.push(end) };

/** Starts the embedded server with the committed models. Resolves to its addresses. */
async function startModels(folder: string): Promise<{ grpc: string; rest: string }> {
  const names = [...(await readCards(MODELS)).keys()];
  const configs = names.map(
    (name) => `config { name: "${name}" base_path: "${MODELS}/${name}" model_platform: "tensorflow" }`,
  );
  const file = path.join(folder, 'models.config');
  await writeFile(file, `model_config_list { ${configs.join(' ')} }`);
  const [port, restPort] = [await freePort(), await freePort()];
  await startServer(hooks, folder, `--port=${port}`, `--rest_api_port=${restPort}`, `--model_config_file=${file}`);
  return { grpc: `127.0.0.1:${port}`, rest: `127.0.0.1:${restPort}` };
}

/** Starts a gateway that ends after the tests. */
async function start(settings: Record<string, string>): Promise<RunningGateway> {
  const gateway = await startGateway(settings);
  hooks.after(() => gateway.stop());
  await gateway.ready();
  return gateway;
}

/** A job as that of a cluster: each target is a pod. */
function job(name: string, targets: readonly string[], metricsPath = '/metrics'): Job {
  const pods = targets.map((target, index) => ({
    targets: [target],
    labels: { namespace: 'tensorgate', pod: `${name}-${index + 1}` },
  }));
  return { job_name: `tensorgate/${name}`, metrics_path: metricsPath, static_configs: pods };
}

describe('the dashboards', options, () => {
  let prometheus: Prometheus;
  let known: ReadonlySet<string>;

  before(async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dashboards-'));
    hooks.after(() => rm(folder, { recursive: true }));
    const models = await startModels(folder);
    const origin = await startOrigin({ '/a.jpg': JPEG });
    hooks.after(() => origin.close());
    const settings = { TF_SERVING_HOST: models.grpc, FETCH_ALLOW_PRIVATE: 'true' };
    const logged = { ...settings, PREDICTION_LOG: path.join(folder, 'log') };
    // The second one has room for one image, so that it refuses.
    const gateways = [await start(logged), await start({ ...settings, MAX_IN_FLIGHT: '1', MAX_QUEUE: '1' })];
    const traffic = await startTraffic(gateways, `${origin.url}/a.jpg`);
    hooks.after(() => traffic.stop());
    prometheus = await startPrometheus(
      hooks,
      [
        job(
          'gateway',
          gateways.map(({ adminUrl }) => new URL(adminUrl).host),
        ),
        job('tf-serving', [models.rest], '/monitoring/prometheus/metrics'),
      ],
      '10s',
    );
    const types = (await gateways[0]?.metrics())?.matchAll(/^# TYPE (\S+)/gm) ?? [];
    known = new Set([...Array.from(types, ([, name = '']) => name), ...OF_TF_SERVING, 'ALERTS']);
  });

  after(async () => {
    for (const end of ends.reverse()) await end();
  });

  for (const { file, panels, variables } of dashboards) {
    for (const { title, queries } of panels) {
      test(`${file}: ${title}: ${title in EMPTY ? `known metrics (${EMPTY[title]})` : 'has data'}`, async () => {
        for (const query of queries) {
          if (!(title in EMPTY)) {
            await until(() => hasNumbers(prometheus, query), 60_000);
            continue;
          }
          await prometheus.query(query);
          assert.deepEqual(unknownIn(query, known), []);
        }
      });
    }

    for (const { name, series, label } of variables) {
      test(`${file}: the variable ${name} has values`, () =>
        until(async () => (await prometheus.query(series)).some(({ metric }) => metric[label]), 60_000));
    }
  }

  test('no panel is listed as empty that does not exist', () => {
    const titles = new Set(dashboards.flatMap(({ panels }) => panels.map(({ title }) => title)));
    assert.deepEqual(
      Object.keys(EMPTY).filter((title) => !titles.has(title)),
      [],
    );
  });
});

async function hasNumbers(prometheus: Prometheus, query: string): Promise<boolean> {
  return (await prometheus.query(query)).some(({ value }) => !Number.isNaN(value));
}

/** The metrics that a query reads and that neither a gateway nor TF-Serving has. */
function unknownIn(query: string, known: ReadonlySet<string>): string[] {
  const names = [...query.matchAll(/([a-zA-Z_:][\w:]*)\{/g)].map(([, name = '']) => name);
  assert.ok(names.length > 0, query);
  // A histogram without values has no series yet.
  return names.filter((name) => !known.has(name) && !known.has(name.replace(/_(bucket|sum|count)$/, '')));
}
