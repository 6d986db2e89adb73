/** The panels of TF-Serving's own metrics on a real Prometheus, which scrapes a model server on the real TensorFlow. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findPython, freePort, makeModels, startTensorFlowServing } from '../tf-serving/server.ts';
import { until } from '../until.ts';
import { readDashboards } from './panels.ts';
import { startPrometheus, options as withPrometheus } from './prometheus.ts';

const MONITORING = fileURLToPath(new URL('../../serving/monitoring.config', import.meta.url));
const MODEL = 'versions';
/** Metrics that the server has only for TensorFlow's own reader of models. */
const ABSENT = ['Versions loaded and failed, by server'];

const python = await findPython();
const options = 'missing' in python ? { skip: python.missing } : withPrometheus;

test("TF-Serving's own metrics have data", options, async (t) => {
  if ('missing' in python) return;
  const models = await makeModels(python.program, MODEL);
  t.after(() => rm(models, { recursive: true }));
  const port = await freePort();
  const flags = [`--rest_api_port=${port}`, `--monitoring_config_file=${MONITORING}`, '--enable_batching=true'];
  const server = await startTensorFlowServing(python.program, models, { names: [MODEL], flags });
  t.after(() => server.stop());
  const job = {
    job_name: 'tensorgate/tf-serving',
    metrics_path: '/monitoring/prometheus/metrics',
    static_configs: [{ targets: [`127.0.0.1:${port}`], labels: { namespace: 'tensorgate', pod: 'tf-serving-1' } }],
  };
  const prometheus = await startPrometheus(t, [job], '10s');

  async function predict(): Promise<void> {
    const body = JSON.stringify({ instances: [1, 2] });
    const response = await fetch(`http://127.0.0.1:${port}/v1/models/${MODEL}:predict`, { method: 'POST', body });
    assert.equal(response.status, 200, await response.text());
  }
  const panels = (await readDashboards()).flatMap((dashboard) => dashboard.panels);
  const own = panels.filter(({ title, queries }) => !ABSENT.includes(title) && queries.join().includes(':tensorflow:'));
  assert.ok(own.length > 4);
  for (const { queries } of own) {
    for (const query of queries) {
      await until(async () => {
        await predict();
        return (await prometheus.query(query)).some(({ value }) => !Number.isNaN(value));
      }, 60_000);
    }
  }
});
