import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptMemory } from './kept-memory.ts';

test('memory is released once, when its last user is done', () => {
  let released = 0;
  const memory = keptMemory(() => {
    released += 1;
  });
  const [first, second] = [memory.keep(), memory.keep()];
  first();
  assert.equal(released, 0);
  second();
  assert.equal(released, 1);
});
