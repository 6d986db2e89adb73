import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { stringTensor } from '../../domain/strings.ts';
import type { NumericTensor, Tensor, TensorInfo } from '../../domain/tensor.ts';
import { testContext } from '../../domain/test-context.ts';
import { parseCard } from '../../model/card.ts';
import type { Routed } from '../../model/route.ts';
import { bind } from '../../model/signatures.ts';
import type { Predicted } from '../../pipeline/predicted.ts';
import type { Outcome } from './buffer.ts';
import { openPredictionLog } from './open.ts';
import type { Judged } from './recent.ts';
import { type FeedbackLine, lineSchema, type PredictionLine } from './schema.ts';

const PICTURE = await readFile(new URL('../../../tests/golden/images/jpg-17x16.jpg', import.meta.url));

const floats = (shape: number[], values: number[]): NumericTensor => ({
  dtype: 'DT_FLOAT',
  shape,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

/** A version of the model that the text of a model.yaml describes. */
function routedOf(yaml: string, inputs: TensorInfo[], outputs: TensorInfo[]): Routed {
  const card = parseCard(yaml, '/models/m');
  const signatures = new Map([['serving_default', { inputs, outputs }]]);
  const metadata = { version: 3, protocol: 'tf-serving', signatures } as const;
  const binding = card.image && { binding: bind(card, metadata) };
  return { card, version: 3, metadata, servers: new Set(['s']), role: 'stable', ...binding };
}

/** A log whose lines are kept. `lines` closes it. */
function rig(options: { share?: number } = {}) {
  const written: string[] = [];
  const outcomes: [Outcome, number][] = [];
  const labels: Judged[] = [];
  const log = openPredictionLog({
    destination: {
      async write(lines) {
        written.push(...lines);
      },
      async close() {},
    },
    share: 1,
    log: { debug() {}, info() {}, warn() {}, error: (fields) => assert.fail(JSON.stringify(fields)) },
    onOutcome: (outcome, lines) => outcomes.push([outcome, lines]),
    onLabel: (judged) => labels.push(judged),
    ...options,
  });
  async function lines() {
    await log.close();
    return written.map((line) => lineSchema.parse(JSON.parse(line)));
  }
  return { log, outcomes, labels, written, lines, predictions: async () => (await lines()) as PredictionLine[] };
}

const PETS = 'name: pets\nimage: {size: [2, 2], scale: tf}\nclasses: [cat, dog, bird]\n';
const PET_INPUT = { name: 'x', dtype: 'DT_FLOAT', shape: [-1, 2, 2, 3] };
const PET_OUTPUT = { name: 'y', dtype: 'DT_FLOAT', shape: [-1, 3] };

const STATISTICS = { brightness: 100 / 3, contrast: 40.5, sharpness: 12 };

function pictures(yaml: string, url: string): Predicted {
  const bytes = new Uint8Array(PICTURE);
  const outputs = new Map([['y', floats([3], [0, Math.log(6), Math.log(3)])]]);
  return {
    kind: 'pictures',
    routed: routedOf(yaml, [PET_INPUT], [PET_OUTPUT]),
    signature: 'serving_default',
    count: 3,
    ids: ['"sku-1"', undefined, '12345678901234567890'],
    pictures: [
      { row: 0, sentRow: 0, instance: { kind: 'url', url, field: 'url' }, bytes, outputs, statistics: STATISTICS },
      { row: 1, sentRow: 1, instance: { kind: 'bytes', bytes, field: 'b64' }, bytes, outputs, statistics: undefined },
      { row: 2, sentRow: 2, instance: { kind: 'row', bytes, field: 'x' }, bytes, outputs, statistics: undefined },
    ],
  };
}

test('a picture: its digest, size, format and public URL; the classes with their probabilities', async () => {
  const { log, predictions } = rig();
  const times = new Map([['decode', 1.234] as const, ['predict', 20] as const]);
  const context = testContext({ id: 'r1', route: '/predict', times });
  log.onPredicted(pictures(PETS, 'https://me:secret@example.com:8443/a/b.jpg?X-Signature=secret#top'), context);
  const [first, second, third] = await predictions();
  const { time, ...rest } = first ?? {};
  assert.ok(Math.abs(Date.parse(time ?? '') - Date.now()) < 60_000);
  assert.deepEqual(rest, {
    kind: 'prediction',
    schema: 1,
    id: 'sku-1',
    request_id: 'r1',
    trace_id: context.trace.id,
    row: 0,
    given_id: 'sku-1',
    model: 'pets',
    version: 3,
    signature: 'serving_default',
    route: '/predict',
    traffic: null,
    timings: { decode_ms: 1.23, predict_ms: 20 },
    input: {
      kind: 'picture',
      sha256: hash('sha256', PICTURE),
      bytes: PICTURE.length,
      format: 'jpeg',
      width: 17,
      height: 16,
      url: 'https://example.com:8443/a/b.jpg',
      statistics: { brightness: 33.33333, contrast: 40.5, sharpness: 12 },
    },
    class: 'dog',
    score: 0.6,
    scores: [
      { class: 'dog', score: 0.6 },
      { class: 'bird', score: 0.3 },
      { class: 'cat', score: 0.1 },
    ],
    // -(0.6 ln 0.6 + 0.3 ln 0.3 + 0.1 ln 0.1) / ln 3
    entropy: 0.8173454,
    // The logits are ln 1, ln 6 and ln 3: -ln 10.
    energy: Number((-Math.LN10).toPrecision(7)),
    outputs: { values: { y: [0, 1.7917594909667969, 1.0986123085021973] }, digests: {} },
  });
  assert.deepEqual([second?.id, second?.given_id, second?.row], ['r1[1]', null, 1]);
  assert.deepEqual([third?.id, third?.input.kind === 'picture' && third.input.format], ['12345678901234567890', null]);
});

test('redact leaves out the URL and the id of pictures', async () => {
  const { log, predictions } = rig();
  log.onPredicted(pictures(`${PETS}redact: [url, id]`, 'https://example.com/a'), testContext({ id: 'r1' }));
  const lines = await predictions();
  assert.deepEqual(
    lines.map(({ id, given_id, input }) => [id, given_id, input.kind === 'picture' && input.url]),
    [
      ['r1[0]', null, null],
      ['r1[1]', null, null],
      ['r1[2]', null, null],
    ],
  );
});

const CHURN = 'name: churn\nrecord: {id: customer}\ndecision: {output: p, threshold: 0.4, name: churn}\n';
const info = (name: string, dtype: string, ...shape: number[]) => ({ name, dtype, shape: [-1, ...shape] });
const CHURN_INPUTS = [info('tenure', 'DT_INT64'), info('ssn', 'DT_STRING'), info('embedding', 'DT_FLOAT', 100)];

function records(yaml: string): Predicted & { readonly kind: 'tensors' } {
  const inputs = new Map<string, Tensor>([
    ['tenure', { dtype: 'DT_INT64', shape: [2], bytes: new Uint8Array(BigInt64Array.of(24n, 2n ** 60n).buffer) }],
    ['ssn', stringTensor([2], [Buffer.from('1-2'), Buffer.from('3-4')])],
    [
      'embedding',
      floats(
        [2, 100],
        Array.from({ length: 200 }, (_, index) => index),
      ),
    ],
  ]);
  const outputs = new Map([['p', floats([2, 1], [0.75, 0.25])]]);
  const ids = stringTensor([2], [Buffer.from('"id":7,"customer":"c-1"'), Buffer.from('')]);
  const routed = routedOf(yaml, CHURN_INPUTS, [info('p', 'DT_FLOAT', 1)]);
  return { kind: 'tensors', routed, signature: 'serving_default', inputs, outputs, rows: 2, ids };
}

test('a record: its values, long ones as digests; a decision as the class', async () => {
  const { log, predictions } = rig();
  const given = records(CHURN);
  log.onPredicted(given, testContext({ id: 'r1' }));
  // The pipeline frees its memory while the line is not made yet.
  for (const { bytes } of [...given.inputs.values(), ...given.outputs.values()]) bytes.fill(0);
  const [first, second] = await predictions();
  const embedding = Float32Array.from({ length: 100 }, (_, index) => index);
  const digests = {
    embedding: { dtype: 'DT_FLOAT', shape: [100], sha256: hash('sha256', new Uint8Array(embedding.buffer)) },
  };
  assert.deepEqual(first?.input, { kind: 'tensors', values: { tenure: 24, ssn: '1-2' }, digests });
  assert.deepEqual([first?.id, first?.class, first?.score, first?.scores], ['c-1', 'true', 0.75, null]);
  assert.deepEqual(first?.outputs, { values: { p: [0.75] }, digests: {} });
  assert.deepEqual([second?.id, second?.class, second?.score], ['r1[1]', 'false', 0.75]);
});

test('redact leaves out inputs, and both names of the id of a record', async () => {
  const { log, predictions } = rig();
  log.onPredicted(records(`${CHURN}redact: [ssn, embedding, id]`), testContext({ id: 'r1' }));
  const [first] = await predictions();
  assert.deepEqual(first?.input, { kind: 'tensors', values: { tenure: 24 }, digests: {} });
  assert.deepEqual([first?.id, first?.given_id], ['r1[0]', null]);
});

test('a request that is too large to copy has shapes and no digests', async () => {
  const { log, predictions } = rig();
  const huge = new Map([['x', { dtype: 'DT_UINT8', shape: [1, 17 * 2 ** 20], bytes: new Uint8Array(17 * 2 ** 20) }]]);
  log.onPredicted({ ...records(CHURN), inputs: huge, outputs: new Map(), rows: 1, ids: undefined }, testContext());
  const [line] = await predictions();
  const digests = { x: { dtype: 'DT_UINT8', shape: [17 * 2 ** 20], sha256: null } };
  assert.deepEqual(line?.input, { kind: 'tensors', values: {}, digests });
});

test('tensors that were passed on have their sizes only', async () => {
  const { log, predictions } = rig();
  const { routed, signature } = records(CHURN);
  const sizes = { rows: 5, requestBytes: 100, answerBytes: 30 };
  const relayed = { rest: { memory: new ArrayBuffer(), start: 0, end: 0 }, outputs: async () => new Map() };
  log.onPredicted(
    { kind: 'relayed', method: 'Predict', routed, signature, ...sizes, ...relayed },
    testContext({ id: 'r1' }),
  );
  const [line] = await predictions();
  assert.deepEqual(line?.input, { kind: 'relayed', rows: 5, bytes: 100 });
  assert.deepEqual([line?.id, line?.class, line?.outputs], ['r1', null, { bytes: 30 }]);
});

test('a label is a line of its own, whatever the sample', async () => {
  const { log, lines } = rig({ share: 0 });
  const context = testContext({ id: 'r2' });
  log.onPredicted(pictures(PETS, 'https://example.com/a'), context);
  assert.ok(log.addFeedback({ id: 'sku-1', label: 'cat' }, context));
  const [label, ...others] = (await lines()) as FeedbackLine[];
  const { time: _, ...rest } = label ?? {};
  const about = { request_id: 'r2', trace_id: context.trace.id };
  assert.deepEqual(rest, { kind: 'feedback', schema: 1, id: 'sku-1', ...about, label: 'cat' });
  assert.deepEqual(others, []);
});

test('a label is compared with the prediction of its id, and only once', async () => {
  const { log, labels, lines } = rig();
  const context = testContext({ id: 'r1' });
  log.onPredicted(pictures(PETS, 'https://example.com/a'), context);
  for (const [id, label] of [
    ['sku-1', 'dog'],
    ['sku-1', 'dog'],
    ['r1[1]', 'cat'],
    ['r1', 'cat'],
  ] as const)
    log.addFeedback({ id, label }, context);
  assert.deepEqual(labels, [
    { model: 'pets', version: 3, outcome: 'right' },
    { model: 'pets', version: 3, outcome: 'wrong' },
    { outcome: 'unknown' },
  ]);
  assert.equal((await lines()).length, 7);
});

test('ids count as memory of what waits', async () => {
  const { log, outcomes } = rig();
  const long = { ...records(CHURN), ids: stringTensor([2], [Buffer.alloc(12 * 2 ** 20, 'x'), Buffer.from('')]) };
  for (let request = 0; request < 3; request += 1) log.onPredicted(long, testContext({ id: `r${request}` }));
  assert.deepEqual(outcomes, [['buffer_full', 2]]);
  await log.close();
});

test('predictions that are not written yet are bounded; the others are dropped and counted', async () => {
  const { log, outcomes, written } = rig();
  const rows = 40_000;
  const inputs = new Map([['x', { dtype: 'DT_UINT8', shape: [rows, 1], bytes: new Uint8Array(rows) }]]);
  const many = { ...records('name: many'), inputs, outputs: new Map(), rows, ids: undefined };
  for (let request = 0; request < 3; request += 1) log.onPredicted(many, testContext({ id: `r${request}` }));
  assert.deepEqual(outcomes, [
    ['buffer_full', rows],
    ['buffer_full', rows],
  ]);
  await log.close();
  const dropped = outcomes.slice(2).reduce((sum, [outcome, count]) => sum + (outcome === 'buffer_full' ? count : 0), 0);
  assert.equal(written.length + dropped, rows);
  assert.ok(written.length > 10_000, `${written.length}`);
});
