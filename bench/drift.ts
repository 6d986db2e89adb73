/**
 * What counting for skew and drift costs: the CPU time of a gateway for a request, and that of the counting alone, which is in it.
 * Both are measured in one run.
 *
 *   node bench/drift.ts
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { testContext } from '../gateway/domain/test-context.ts';
import { createMeasure } from '../gateway/image/statistics.ts';
import { testSpec } from '../gateway/image/test-spec.ts';
import { parseCard } from '../gateway/model/card.ts';
import { bind } from '../gateway/model/signatures.ts';
import { Drift } from '../gateway/observe/drift/open.ts';
import type { Predicted } from '../gateway/pipeline/predicted.ts';
import { XCEPTION } from '../tests/model-server.ts';
import { CARD, CLASSES } from '../tests/models.ts';
import { startGateway } from './gateway.ts';
import { cpuMsOf, load, median, stopAll } from './load.ts';
import { FEATURES, PICTURE, RECORD, startModels, TABLE } from './models.ts';

const ROUNDS = 5;
const CONCURRENCY = 8;
const EDGES = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const TABLE_CARD = 'name: churn\ndecision: {output: p, name: leaves}\n';

const number = { kind: 'number', edges: EDGES, counts: [...EDGES, 10] };
const category = { kind: 'category', counts: Object.fromEntries(CLASSES.map((name, index) => [name, index])) };
const BASELINES = {
  churn: Object.fromEntries(
    [...FEATURES.map((name) => `input.${name}`), 'score', 'entropy'].map((name) => [name, number]),
  ),
  'clothing-model': {
    class: category,
    ...Object.fromEntries(
      ['score', 'entropy', 'brightness', 'contrast', 'sharpness', 'pixels', 'aspect'].map((name) => [name, number]),
    ),
  },
};

await using cleanUp = new AsyncDisposableStack();
const folder = await mkdtemp(path.join(tmpdir(), 'bench-drift-'));
cleanUp.defer(() => rm(folder, { recursive: true }));
for (const [model, card] of Object.entries({ churn: TABLE_CARD, 'clothing-model': CARD })) {
  await mkdir(path.join(folder, model, 'baseline'), { recursive: true });
  await writeFile(path.join(folder, model, 'model.yaml'), card);
  const features = BASELINES[model as keyof typeof BASELINES];
  const baseline = { schema: 1, model, version: 1, rows: 1, features };
  await writeFile(path.join(folder, model, 'baseline/1.json'), JSON.stringify(baseline));
}

const model = await startModels();
cleanUp.defer(() => model.close());
const gateway = await startGateway({ TF_SERVING_HOST: model.target, MODELS: folder });
cleanUp.defer(stopAll);

/** CPU microseconds of the gateway for a request. */
async function request(query: string, body: string | Buffer, type: string, count: number): Promise<number> {
  const before = await cpuMsOf(gateway.pid);
  await load(`http://127.0.0.1:${gateway.port}`, [body], count, CONCURRENCY, [`/predict?model=${query}`], {
    'Content-Type': type,
  });
  return (1000 * ((await cpuMsOf(gateway.pid)) - before)) / count;
}

/** CPU microseconds of a function. */
function own(work: () => void, count = 5000): number {
  for (let warm = 0; warm < count; warm += 1) work();
  const before = process.cpuUsage();
  for (let done = 0; done < count; done += 1) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

/** What a request of a model adds: `statistics` of the picture, and its counts. */
async function counting(name: keyof typeof BASELINES): Promise<() => void> {
  const card = parseCard(await readFile(path.join(folder, name, 'model.yaml'), 'utf8'), path.join(folder, name));
  const info = (tensors: object) => Object.entries(tensors).map(([key, value]) => ({ name: key, ...value }));
  const side = name === 'churn' ? TABLE : XCEPTION;
  const signature = { inputs: info(side.inputs), outputs: info(side.outputs) };
  const metadata = {
    version: 1,
    protocol: 'tf-serving',
    signatures: new Map([['serving_default', signature]]),
  } as const;
  const binding = card.image && { binding: bind(card, metadata) };
  const routed = { card, version: 1, metadata, servers: new Set<string>(), role: 'stable' as const, ...binding };
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const drift = new Drift({ log, usual: () => [routed] });
  await drift.refresh();
  const context = testContext();
  const floats = (shape: number[], values: number[]) => ({
    dtype: 'DT_FLOAT',
    shape,
    bytes: new Uint8Array(Float32Array.from(values).buffer),
  });
  if (name === 'churn') {
    const given = new Map(FEATURES.map((key, index) => [key, floats([1], [1.5 * index])]));
    const answered = new Map([['p', floats([1], [0.25])]]);
    const rows: Predicted = {
      kind: 'tensors',
      routed,
      signature: 'serving_default',
      inputs: given,
      outputs: answered,
      rows: 1,
    };
    return () => drift.onPredicted(rows, context);
  }
  const measure = createMeasure();
  const spec = testSpec();
  const row = new Float32Array(299 * 299 * 3);
  const answered = new Map([
    [
      'dense_7',
      floats(
        [10],
        CLASSES.map((_, index) => index / 10),
      ),
    ],
  ]);
  const instance = { kind: 'bytes', bytes: PICTURE, field: 'file' } as const;
  return () => {
    const pictures = [
      { row: 0, sentRow: 0, instance, bytes: PICTURE, outputs: answered, statistics: measure(row, 'DT_FLOAT', spec) },
    ];
    drift.onPredicted({ kind: 'pictures', routed, signature: 'serving_default', pictures, count: 1 }, context);
  };
}

const CASES = [
  {
    name: 'a record of six numbers',
    model: 'churn',
    body: JSON.stringify(RECORD),
    type: 'application/json',
    count: 2000,
  },
  { name: 'a JPEG of 400x533', model: 'clothing-model', body: PICTURE, type: 'image/jpeg', count: 300 },
] as const;

console.log('| request | CPU-us of the gateway | of them counting | share |\n|--|--|--|--|');
for (const { name, model: query, body, type, count } of CASES) {
  const work = await counting(query);
  await request(query, body, type, count);
  const rounds: { readonly all: number; readonly counting: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push({ all: await request(query, body, type, count), counting: own(work) });
  }
  const all = median(rounds.map((round) => round.all));
  const one = median(rounds.map((round) => round.counting));
  console.log(`| ${name} | ${all.toFixed(0)} | ${one.toFixed(1)} | ${((100 * one) / all).toFixed(1)} % |`);
}
