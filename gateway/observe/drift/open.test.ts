import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { stringTensor } from '../../domain/strings.ts';
import type { NumericTensor, TensorInfo } from '../../domain/tensor.ts';
import { testContext } from '../../domain/test-context.ts';
import { parseCard } from '../../model/card.ts';
import type { Routed } from '../../model/route.ts';
import { bind } from '../../model/signatures.ts';
import type { Predicted } from '../../pipeline/predicted.ts';
import { Drift } from './open.ts';

const PICTURE = await readFile(new URL('../../../tests/golden/images/jpg-17x16.jpg', import.meta.url));

const floats = (shape: number[], ...values: number[]): NumericTensor => ({
  dtype: 'DT_FLOAT',
  shape,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});
const strings = (...texts: string[]) =>
  stringTensor(
    [texts.length],
    texts.map((text) => Buffer.from(text)),
  );

type Model = { readonly yaml: string; readonly inputs: TensorInfo[]; readonly outputs: TensorInfo[] };

const PETS: Model = {
  yaml: 'name: pets\nimage: {size: [2, 2], scale: tf}\nclasses: [cat, dog, bird]\n',
  inputs: [{ name: 'x', dtype: 'DT_FLOAT', shape: [-1, 2, 2, 3] }],
  outputs: [{ name: 'y', dtype: 'DT_FLOAT', shape: [-1, 3] }],
};
const CHURN: Model = {
  yaml: 'name: churn\n',
  inputs: [
    { name: 'contract', dtype: 'DT_STRING', shape: [-1] },
    { name: 'tenure', dtype: 'DT_FLOAT', shape: [-1] },
  ],
  outputs: [{ name: 'p', dtype: 'DT_FLOAT', shape: [-1, 1] }],
};

/** A drift of one version, whose baseline is in `folder`. `shown`: the buckets with a count, or with their share. */
async function rig(t: TestContext, { yaml, inputs, outputs }: Model, features?: object) {
  const folder = await mkdtemp(path.join(tmpdir(), 'drift-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'baseline', '3.json');
  await mkdir(path.dirname(file));
  const write = (given: object) =>
    writeFile(file, JSON.stringify({ schema: 1, model: 'm', version: 3, rows: 1, features: given }));
  if (features) await write(features);
  const card = parseCard(yaml, folder);
  const signatures = new Map([['serving_default', { inputs, outputs }]]);
  const metadata = { version: 3, protocol: 'tf-serving', signatures } as const;
  const routed: Routed = {
    card,
    version: 3,
    metadata,
    servers: new Set(['s']),
    role: 'stable',
    ...(card.image && { binding: bind(card, metadata) }),
  };
  const warnings: unknown[] = [];
  const log = { debug() {}, info() {}, warn: (fields: unknown) => warnings.push(fields), error() {} };
  const drift = new Drift({ log, usual: () => [routed] });
  await drift.refresh();

  function shown(isShown: (count: number, share: number | undefined) => number | undefined) {
    const buckets: Record<string, number> = {};
    drift.show(({ feature, bucket }, { count, share }) => {
      const value = isShown(count, share);
      if (value) buckets[`${feature} ${bucket}`] = value;
    });
    return buckets;
  }
  return {
    drift,
    routed,
    warnings,
    write,
    file,
    counted: () => shown((count) => count),
    shares: () => shown((_count, share) => share),
    predict: (predicted: object) =>
      drift.onPredicted({ routed, signature: 'serving_default', ...predicted } as Predicted, testContext()),
  };
}

const picture = (outputs: NumericTensor, statistics?: object) => ({
  row: 0,
  instance: { kind: 'bytes', bytes: PICTURE, field: 'file' },
  bytes: PICTURE,
  outputs: new Map([['y', outputs]]),
  statistics,
});

test('pictures without a baseline: class, probability, entropy and statistics by the default cuts', async (t) => {
  const { predict, counted, shares } = await rig(t, PETS);
  const sure = picture(floats([3], 0, 9, 0), { brightness: 130, contrast: 45, sharpness: 9 });
  const unsure = picture(floats([3], 1, 1, 1));
  const broken = picture(floats([3], Number.NaN, 1, 1));
  predict({ kind: 'pictures', count: 3, pictures: [sure, unsure, broken] });
  assert.deepEqual(counted(), {
    'class cat': 1,
    'class dog': 1,
    'score [0.3,0.4)': 1,
    'score [0.99,+inf)': 1,
    'entropy (-inf,0.01)': 1,
    'entropy [0.9,+inf)': 1,
    'pixels (-inf,10000)': 3,
    'aspect [1.05,1.25)': 3,
    'brightness [125,150)': 1,
    'contrast [40,50)': 1,
    'sharpness [8,12)': 1,
  });
  assert.deepEqual(shares(), {});
});

const FEATURES = {
  'input.contract': { kind: 'category', counts: { monthly: 30, yearly: 10 }, other: 10 },
  'input.tenure': { kind: 'number', edges: [12], counts: [20, 20], missing: 10 },
  'output.p': { kind: 'number', edges: [0.5], counts: [40, 10] },
};

test('a table: inputs and outputs by the baseline, with its shares', async (t) => {
  const { predict, counted, shares } = await rig(t, CHURN, FEATURES);
  const inputs = new Map([
    ['contract', strings('monthly', 'yearly', '', 'weekly', 'monthly')],
    ['tenure', floats([5], 1, 12, Number.NaN, 40, 5)],
  ]);
  const outputs = new Map([['p', floats([5, 1], 0.1, 0.5, 0.9, 0.2, 0.3)]]);
  predict({ kind: 'tensors', inputs, outputs, rows: 5 });
  assert.deepEqual(counted(), {
    'input.contract monthly': 2,
    'input.contract yearly': 1,
    'input.contract (other)': 1,
    'input.contract (missing)': 1,
    'input.tenure (-inf,12)': 2,
    'input.tenure [12,+inf)': 2,
    'input.tenure (missing)': 1,
    'output.p (-inf,0.5)': 3,
    'output.p [0.5,+inf)': 2,
  });
  assert.deepEqual(shares(), {
    'input.contract monthly': 0.6,
    'input.contract yearly': 0.2,
    'input.contract (other)': 0.2,
    'input.tenure (-inf,12)': 0.4,
    'input.tenure [12,+inf)': 0.4,
    'input.tenure (missing)': 0.2,
    'output.p (-inf,0.5)': 0.8,
    'output.p [0.5,+inf)': 0.2,
  });
});

test('a decision counts as the class true or false, with its probability', async (t) => {
  const yaml = `${CHURN.yaml}decision: {output: p, threshold: 0.5, name: leaves}\n`;
  const { predict, counted } = await rig(t, { ...CHURN, yaml });
  predict({ kind: 'tensors', inputs: new Map(), outputs: new Map([['p', floats([2, 1], 0.04, 0.75)]]), rows: 2 });
  assert.deepEqual(counted(), {
    'class false': 1,
    'class true': 1,
    'score [0.7,0.8)': 1,
    'score [0.95,0.99)': 1,
    'entropy [0.2,0.3)': 1,
    'entropy [0.8,0.9)': 1,
  });
});

test('of a large request 1000 rows count, evenly spread', async (t) => {
  const { predict, counted } = await rig(t, CHURN, FEATURES);
  const rows = 50_000;
  const tenure = floats([rows], ...Array.from({ length: rows }, (_, row) => (row < rows / 2 ? 0 : 20)));
  predict({ kind: 'tensors', inputs: new Map([['tenure', tenure]]), outputs: new Map(), rows });
  assert.deepEqual(counted(), { 'input.tenure (-inf,12)': 500, 'input.tenure [12,+inf)': 500 });
});

test('another signature, unread tensors and tensors of another shape do not count', async (t) => {
  const { predict, counted } = await rig(t, CHURN, FEATURES);
  const inputs = new Map([['tenure', floats([2, 2], 1, 2, 3, 4)]]);
  predict({ kind: 'tensors', inputs, outputs: new Map(), rows: 2 });
  const one = new Map([['tenure', floats([1], 1)]]);
  predict({ kind: 'tensors', signature: 'other', inputs: one, outputs: new Map(), rows: 1 });
  predict({ kind: 'relayed', method: 'Predict', rows: 1, requestBytes: 1, answerBytes: 1 });
  assert.deepEqual(counted(), {});
});

test('a baseline that has changed is used from the next scrape on, and its mistakes are told once', async (t) => {
  const { drift, predict, counted, shares, write, file, warnings } = await rig(t, CHURN, FEATURES);
  const one = { kind: 'tensors', inputs: new Map([['tenure', floats([1], 1)]]), outputs: new Map(), rows: 1 };
  predict(one);
  await drift.refresh();
  assert.deepEqual(counted(), { 'input.tenure (-inf,12)': 1 });
  await write({ 'input.tenure': { kind: 'number', edges: [0.5], counts: [1, 1] } });
  await drift.refresh();
  predict(one);
  assert.deepEqual(counted(), { 'input.tenure [0.5,+inf)': 1 });
  assert.deepEqual(Object.keys(shares()), ['input.tenure (-inf,0.5)', 'input.tenure [0.5,+inf)']);
  await writeFile(file, '{');
  await drift.refresh();
  await drift.refresh();
  assert.deepEqual(warnings, [{ model: 'churn', problem: 'baseline/3.json: is not JSON' }]);
  assert.deepEqual(shares(), {});
});

test('a model has the series of four versions, the newest among them', async (t) => {
  const { drift, routed } = await rig(t, PETS);
  for (let version = 4; version <= 7; version += 1) {
    drift.onPredicted(
      {
        kind: 'relayed',
        routed: { ...routed, version },
        signature: '',
        method: '',
        rows: 1,
        rest: { memory: new ArrayBuffer(), start: 0, end: 0 },
        outputs: async () => new Map(),
        requestBytes: 1,
        answerBytes: 1,
      },
      testContext(),
    );
  }
  await drift.refresh();
  const versions = new Set<string>();
  drift.show(({ version }) => versions.add(version));
  assert.deepEqual([...versions].sort(), ['3', '5', '6', '7']);
});
