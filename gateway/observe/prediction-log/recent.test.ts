import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentPredictions } from './recent.ts';

const CAT = { model: 'pets', version: 3, class: 'cat' };
const outcomes = (recent: RecentPredictions, ids: readonly string[]) =>
  ids.map((id) => recent.judge(id, 'cat')?.outcome);

test('a label is right, wrong or unknown; only the first label of a prediction counts', () => {
  const recent = new RecentPredictions();
  recent.add('a', CAT);
  recent.add('b', CAT);
  assert.deepEqual(recent.judge('a', 'cat'), { model: 'pets', version: 3, outcome: 'right' });
  assert.deepEqual(recent.judge('b', 'dog'), { model: 'pets', version: 3, outcome: 'wrong' });
  assert.equal(recent.judge('b', 'cat'), undefined);
  assert.deepEqual(recent.judge('__proto__', 'cat'), { outcome: 'unknown' });
});

test('of two predictions with one id the later one is labelled', () => {
  const recent = new RecentPredictions();
  recent.add('a', CAT);
  recent.judge('a', 'cat');
  recent.add('a', { model: 'pets', version: 4, class: 'dog' });
  assert.deepEqual(recent.judge('a', 'dog'), { model: 'pets', version: 4, outcome: 'right' });
});

test('predictions are kept up to a number, a length and an age; the oldest go first', (t) => {
  const few = new RecentPredictions({ maxCount: 2 });
  for (const id of ['a', 'b', 'a', 'c']) few.add(id, CAT);
  assert.deepEqual(outcomes(few, ['a', 'b', 'c']), ['right', 'unknown', 'right']);
  const short = new RecentPredictions({ maxLength: 20 });
  for (const id of ['a', 'x'.repeat(10), 'b', 'x'.repeat(100), 'c']) short.add(id, CAT);
  assert.deepEqual(outcomes(short, ['a', 'b', 'c']), ['unknown', 'unknown', 'right']);
  t.mock.timers.enable({ apis: ['Date'] });
  const young = new RecentPredictions({ maxAgeMs: 1000 });
  young.add('a', CAT);
  t.mock.timers.tick(600);
  young.add('b', CAT);
  t.mock.timers.tick(600);
  assert.deepEqual(outcomes(young, ['a', 'b']), ['unknown', 'right']);
});
