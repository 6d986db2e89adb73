import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { parseBaseline, readBaseline } from './baseline.ts';
import { bucketsOf, countsOf, cutsOf } from './buckets.ts';

const HEAD = { schema: 1, model: 'm', version: 7, rows: 6 };
const baselineOf = (features: object) => parseBaseline(JSON.stringify({ ...HEAD, features }));

/** The bucket of each value by its name, and the count of the baseline in it. */
function placed(feature: object, ...values: (number | string)[]) {
  const [only] = Object.values(baselineOf({ it: feature }).features);
  assert.ok(only);
  const buckets = bucketsOf(cutsOf(only));
  const counts = countsOf(only);
  assert.equal(counts.length, buckets.names.length);
  return values.map((value) => `${buckets.names[buckets.of(value)]}=${counts[buckets.of(value)]}`);
}

test('a number belongs to the bucket from the edge that it has reached', () => {
  const feature = { kind: 'number', edges: [0, 0.5, 2], counts: [1, 2, 3, 4], missing: 5 };
  assert.deepEqual(placed(feature, -1, 0, 0.49, 0.5, 1.9, 2, Number.POSITIVE_INFINITY, Number.NaN, 'x'), [
    '(-inf,0)=1',
    '[0,0.5)=2',
    '[0,0.5)=2',
    '[0.5,2)=3',
    '[0.5,2)=3',
    '[2,+inf)=4',
    '[2,+inf)=4',
    '(missing)=5',
    '(missing)=5',
  ]);
  assert.deepEqual(placed({ kind: 'number', edges: [], counts: [3] }, 1, Number.NaN), ['(-inf,+inf)=3', '(missing)=0']);
});

test('a category has a bucket of its own, also by a name that other objects know', () => {
  const feature = { kind: 'category', counts: { other: 1, constructor: 2, 1: 3 }, other: 4, missing: 5 };
  assert.deepEqual(placed(feature, 'other', 'constructor', 1, 'toString', '(other)', '', Number.NaN), [
    'other=1',
    'constructor=2',
    '1=3',
    '(other)=4',
    '(other)=4',
    '(missing)=5',
    '(missing)=5',
  ]);
});

test('a baseline that cannot be counted by is refused', () => {
  const number = { kind: 'number', edges: [1, 2], counts: [1, 2, 3] };
  const wrong = [
    { a: { ...number, edges: [2, 1] } },
    { a: { ...number, edges: [1, 1] } },
    { a: { ...number, counts: [1, 2] } },
    { a: { ...number, counts: [1, 2, -1] } },
    { a: { kind: 'category', counts: { '': 1 } } },
    { a: { kind: 'category', counts: { '(missing)': 1 } } },
    { a: { kind: 'category', counts: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`c${index}`, 1])) } },
    Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`f${index}`, number])),
  ];
  for (const features of wrong) assert.throws(() => baselineOf(features), { name: 'ZodError' });
  assert.throws(() => parseBaseline(JSON.stringify({ ...HEAD, schema: 2, features: {} })), { name: 'ZodError' });
});

test('the file of a version is read; without it there is none, and its mistakes are told', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'baseline-'));
  t.after(() => rm(folder, { recursive: true }));
  assert.equal(await readBaseline(folder, 7), undefined);
  await mkdir(path.join(folder, 'baseline'));
  const write = (text: string) => writeFile(path.join(folder, 'baseline', '7.json'), text);
  await write(JSON.stringify({ ...HEAD, features: {}, more: 1 }));
  assert.equal((await readBaseline(folder, 7))?.rows, 6);
  await write('{');
  await assert.rejects(readBaseline(folder, 7), { message: 'baseline/7.json: is not JSON' });
  const feature = { kind: 'number', edges: [2, 1], counts: [1, 2, 3] };
  await write(JSON.stringify({ ...HEAD, features: { score: feature } }));
  await assert.rejects(readBaseline(folder, 7), { message: 'baseline/7.json: features.score.edges: must ascend' });
});
