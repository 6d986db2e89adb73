import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPool } from './pool.ts';

test('memory that was given back is used again, for its own size only', () => {
  const pool = createPool(1000);
  const first = pool.take(100);
  assert.equal(first.byteLength, 100);
  pool.give(first);
  assert.notEqual(pool.take(200), first);
  assert.equal(pool.take(100), first);
  assert.notEqual(pool.take(100), first);
});

test('no more is kept than the bound', () => {
  const pool = createPool(250);
  const given = [pool.take(100), pool.take(100), pool.take(100)];
  for (const memory of given) pool.give(memory);
  const taken = [pool.take(100), pool.take(100), pool.take(100)];
  assert.equal(taken.filter((memory) => given.includes(memory)).length, 2);
});
