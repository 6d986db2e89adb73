import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { BatchingParameters } from './batching-parameters.ts';
import { RunQueue } from './run-queue.ts';
import { openSession, type Session } from './session.ts';
import type { InputTensor } from './tensor.ts';
import { onnxModel, pairModel, sumModel } from './testing/onnx-models.ts';
import { temporaryFolder } from './testing/server.ts';

const folder = temporaryFolder({ after });

const signature = 'serving_default';

async function load(name: string, model: Buffer): Promise<Session> {
  const file = join(folder, `${name}.onnx`);
  writeFileSync(file, model);
  const session = await openSession({ graphs: new Map([[signature, file]]), intraOpThreads: 1 });
  after(() => session.close());
  return session;
}

const sums = await load('sum', sumModel());
const pairs = await load('pair', pairModel());
const fixed = await load(
  'fixed',
  onnxModel({
    inputs: [{ name: 'x', shape: [2, 1] }],
    outputs: [{ name: 'y', shape: [2, 1] }],
    nodes: [['Identity', ['x'], 'y']],
  }),
);

function matrix(rows: number, columns: number, value: number): InputTensor {
  const bytes = new Uint8Array(Float32Array.from({ length: rows * columns }, () => value).buffer);
  return { dtype: 'DT_FLOAT', shape: [rows, columns], data: bytes };
}

const forever = new AbortController().signal;
type Options = { readonly value?: number; readonly columns?: number; readonly signal?: AbortSignal };

/** Sends rows of the same value. Returns the numbers of the output. */
async function ask(queue: RunQueue, rows: number, { value = 1, columns = 1, signal = forever }: Options = {}) {
  const outputs = await queue.run({
    signature,
    feeds: new Map([['x', matrix(rows, columns, value)]]),
    fetches: ['y'],
    signal,
  });
  return Array.from(outputs.get('y')?.data as Float32Array);
}

const upTo = (maxBatchSize: number, timeoutMs = 0): BatchingParameters => ({ maxBatchSize, timeoutMs });

test('without batching each request has its own run', async () => {
  const queue = new RunQueue(sums, undefined);
  assert.deepEqual(await Promise.all([ask(queue, 1), ask(queue, 2), ask(queue, 1)]), [[1], [2, 2], [1]]);
});

test('requests queued during a run share the next run', async () => {
  const queue = new RunQueue(sums, upTo(100));
  const answers = await Promise.all([ask(queue, 1), ask(queue, 1, { value: 2 }), ask(queue, 2), ask(queue, 1)]);
  assert.deepEqual(answers, [[1], [5], [5, 5], [5]]);
});

test('each request of a batch gets its own rows', async () => {
  const queue = new RunQueue(pairs, upTo(100, 50));
  const answers = [1, 2, 3].map(async (value) => {
    const feeds = new Map(['a', 'b'].map((name) => [name, { ...matrix(value, 1, value), shape: [value] }]));
    const outputs = await queue.run({ signature, feeds, fetches: ['product', 'total'], signal: forever });
    return ['product', 'total'].map((name) => Array.from(outputs.get(name)?.data as Float32Array));
  });
  const expected = [
    [[1], [2]],
    [
      [4, 4],
      [4, 4],
    ],
    [
      [9, 9, 9],
      [6, 6, 6],
    ],
  ];
  assert.deepEqual(await Promise.all(answers), expected);
});

test('a full batch does not wait for the timeout', async () => {
  const queue = new RunQueue(sums, upTo(4, 60_000));
  const answers = await Promise.all([ask(queue, 2), ask(queue, 2), ask(queue, 3), ask(queue, 1)]);
  assert.deepEqual(answers, [[4, 4], [4, 4], [4, 4, 4], [4]]);
});

test('a batch that is not full waits for the timeout', async () => {
  const queue = new RunQueue(sums, upTo(4, 100));
  const startMs = performance.now();
  const answers = [ask(queue, 1)];
  await new Promise((resolve) => setTimeout(resolve, 20));
  answers.push(ask(queue, 1));
  assert.deepEqual(await Promise.all(answers), [[2], [2]]);
  assert.ok(performance.now() - startMs >= 99);
});

test('requests of different shapes run separately', async () => {
  const queue = new RunQueue(sums, upTo(100));
  const answers = await Promise.all([ask(queue, 1), ask(queue, 1), ask(queue, 1, { columns: 2 }), ask(queue, 1)]);
  assert.deepEqual(answers, [[1], [2], [2, 2], [2]]);
});

test('a model with a fixed first axis is never batched', async () => {
  const queue = new RunQueue(fixed, upTo(1, 60_000));
  assert.deepEqual(await Promise.all([ask(queue, 2), ask(queue, 2, { value: 3 })]), [
    [1, 1],
    [3, 3],
  ]);
});

test('a request larger than the maximum batch size is refused', async () => {
  const message = 'Task size 9 is larger than maximum input batch size 8';
  await assert.rejects(ask(new RunQueue(sums, upTo(8)), 9), { code: 'INVALID_ARGUMENT', message });
});

test('inputs of different lengths are refused, because they would shift the rows of other requests', async () => {
  const feeds = new Map([1, 2].map((rows) => [rows === 1 ? 'a' : 'b', { ...matrix(rows, 1, 1), shape: [rows] }]));
  const run = new RunQueue(pairs, upTo(8)).run({ signature, feeds, fetches: ['total'], signal: forever });
  const message = 'Batching Run() input tensors must have equal 0th-dimension size';
  await assert.rejects(run, { code: 'INVALID_ARGUMENT', message });
});

test('an output without a row per input row fails the whole batch', async () => {
  const unique = await load(
    'unique',
    onnxModel({
      inputs: [{ name: 'x', shape: ['n', 'k'] }],
      outputs: [{ name: 'y', shape: ['m'] }],
      nodes: [['Unique', ['x'], 'y']],
    }),
  );
  const queue = new RunQueue(unique, upTo(8, 60_000));
  const failed = await Promise.allSettled([ask(queue, 4), ask(queue, 4)]);
  assert.deepEqual(
    failed.map((one) => one.status === 'rejected' && one.reason.code),
    ['FAILED_PRECONDITION', 'FAILED_PRECONDITION'],
  );
});

test('a cancelled request is removed from the queue', async () => {
  for (const batching of [undefined, upTo(100)]) {
    const queue = new RunQueue(sums, batching);
    const controller = new AbortController();
    const first = ask(queue, 1);
    const cancelled = ask(queue, 1, { value: 100, signal: controller.signal });
    const last = ask(queue, 1, { value: 3 });
    controller.abort();
    const message = 'Timed out waiting for notification';
    await assert.rejects(cancelled, { code: 'DEADLINE_EXCEEDED', message });
    assert.deepEqual(await Promise.all([first, last]), [[1], [3]]);
  }
});

test('idle() waits for running and queued requests', async () => {
  const queue = new RunQueue(sums, undefined);
  await queue.idle();
  let answered = 0;
  const requests = [1, 2, 3].map(() =>
    ask(queue, 1).then(() => {
      answered++;
    }),
  );
  await queue.idle();
  await Promise.all(requests);
  assert.equal(answered, 3);
});
