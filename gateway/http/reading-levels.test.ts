import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadingLevels } from './reading-levels.ts';

test('A01: each level gets its turn, also while the highest and the lowest are filled again', () => {
  const levels = new ReadingLevels<string>();
  levels.add('between', 3);
  const taken = Array.from({ length: 4 }, () => {
    levels.add('new', 0);
    levels.add('balancer', 1e6);
    return levels.take(1)[0];
  });
  assert.deepEqual(taken, ['balancer', 'between', 'new', 'balancer']);
});

test('of one level those that came last are taken first', () => {
  const levels = new ReadingLevels<number>();
  for (const item of [1, 2, 3]) levels.add(item, 0);
  assert.deepEqual(levels.take(2), [3, 2]);
  assert.deepEqual([levels.isEmpty, levels.take(2), levels.isEmpty, levels.take(2)], [false, [1], true, []]);
});
