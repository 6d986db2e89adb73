/** Prometheus computes of the gateway's counters what NumPy computes of the values in the requests. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { predict, startGatewayFor } from '../gateway.ts';
import { floatTensor, startModelServer } from '../model-server.ts';
import { modelsFolder } from '../models.ts';
import { needsPrometheus, startPrometheus } from '../prometheus.ts';
import { until } from '../until.ts';
import { measuresOf, needsNumpy } from './numpy.ts';

const FEATURES = {
  'input.contract': { kind: 'category', counts: { monthly: 500, yearly: 300, other: 100 }, other: 80, missing: 20 },
  'input.tenure': { kind: 'number', edges: [6, 12, 24, 48], counts: [150, 200, 300, 250, 100], missing: 0 },
  'input.charges': { kind: 'number', edges: [20.5, 40, 80], counts: [400, 0, 300, 300], missing: 7 },
  class: { kind: 'category', counts: { false: 700, true: 300 }, other: 0, missing: 0 },
  score: { kind: 'number', edges: [0.6, 0.7, 0.8, 0.9], counts: [100, 200, 300, 200, 200], missing: 0 },
};
const REQUESTS = 40;
const ROWS = 25;

type Customer = { readonly contract: string; readonly tenure: number; readonly charges: number };

/** Numbers from 0 to 1 that look random and are the same in every run (Park and Miller's generator). */
function* chances(): Generator<number, never> {
  for (let state = 7; ; state = (state * 48_271) % 2_147_483_647) yield state / 2_147_483_647;
}

function drawCustomers(): Customer[] {
  const source = chances();
  const chance = () => source.next().value;
  const contracts = ['monthly', 'yearly', 'yearly', 'other', 'weekly', ''];
  return Array.from({ length: REQUESTS * ROWS }, () => ({
    contract: contracts[Math.floor(chance() * contracts.length)] ?? '',
    tenure: Math.floor(chance() * 60),
    charges: Math.fround(chance() * 100),
  }));
}

/** What the model answers. */
const probabilityOf = ({ tenure }: Pick<Customer, 'tenure'>) => Math.fround((tenure + 0.5) / 61);

test('PSI, Jensen-Shannon and L-infinity of Prometheus are those of NumPy', {
  ...needsPrometheus,
  ...needsNumpy,
}, async (t) => {
  const model = await startModelServer({
    inputs: {
      contract: { dtype: 'DT_STRING', shape: [-1] },
      tenure: { dtype: 'DT_INT64', shape: [-1] },
      charges: { dtype: 'DT_FLOAT', shape: [-1] },
    },
    outputs: { p: { dtype: 'DT_FLOAT', shape: [-1] } },
    onPredict({ inputs }) {
      const content = inputs.tenure?.tensor_content ?? Buffer.alloc(0);
      const tenures = Array.from({ length: content.length / 8 }, (_, row) => Number(content.readBigInt64LE(8 * row)));
      return {
        p: floatTensor(
          [tenures.length],
          tenures.map((tenure) => probabilityOf({ tenure })),
        ),
      };
    },
  });
  t.after(() => model.close());
  const models = await modelsFolder(t, { churn: 'name: churn\ndecision: {output: p, name: leaves}\n' });
  await mkdir(path.join(models, 'churn/baseline'));
  const baseline = { schema: 1, model: 'churn', version: 1, rows: 1000, features: FEATURES };
  await writeFile(path.join(models, 'churn/baseline/1.json'), JSON.stringify(baseline));
  const gateway = await startGatewayFor(t, { TF_SERVING_HOST: model.target, MODELS: models });
  await gateway.ready();
  const targets = [new URL(gateway.adminUrl).host];
  const prometheus = await startPrometheus({ targets, window: '10m', interval: '200ms' });
  t.after(() => prometheus.stop());
  // The series have begun with 0: increase() sees every value.
  await until(async () => (await prometheus.query('tensorgate_feature_values_total')).length > 20, 30_000);

  const customers = drawCustomers();
  for (let start = 0; start < customers.length; start += ROWS) {
    const answer = await predict(gateway, { instances: customers.slice(start, start + ROWS) });
    assert.equal(answer.status, 200, await answer.text());
  }
  const counted = 'sum(tensorgate_feature_values_total{feature="class"})';
  await until(async () => (await prometheus.query(counted))[0]?.value === customers.length, 30_000);

  const probabilities = customers.map(probabilityOf);
  const expected = measuresOf(FEATURES, {
    'input.contract': customers.map(({ contract }) => contract),
    'input.tenure': customers.map(({ tenure }) => tenure),
    'input.charges': customers.map(({ charges }) => charges),
    class: probabilities.map((p) => String(p >= 0.5)),
    score: probabilities.map((p) => (p >= 0.5 ? p : 1 - p)),
  });
  async function difference(): Promise<number> {
    const skews = await prometheus.query('tensorgate:feature_skew{feature!="entropy"}');
    const wanted = Object.values(expected).flatMap((measures) => Object.keys(measures));
    if (skews.length !== wanted.length) return Number.NaN;
    const differences = skews.map(({ metric: { feature = '', measure = '' }, value }) =>
      Math.abs(value - (expected[feature]?.[measure] ?? Number.NaN)),
    );
    return Math.max(...differences);
  }
  // The rules are evaluated after the scrape.
  await until(async () => (await difference()) < 1e-6, 30_000);
  t.diagnostic(`largest difference: ${await difference()}, of ${JSON.stringify(expected)}`);
});
