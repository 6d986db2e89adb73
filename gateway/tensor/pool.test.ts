import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPool } from './pool.ts';

test('a returned buffer is used again for its own size only', () => {
  const pool = createPool(1000);
  const first = pool.take(100);
  assert.equal(first.byteLength, 100);
  pool.give(first);
  assert.notEqual(pool.take(200), first);
  assert.equal(pool.take(100), first);
  assert.notEqual(pool.take(100), first);
});

test('buffers of a size no longer in use are dropped first', () => {
  const pool = createPool(1000);
  const small = Array.from({ length: 9 }, () => pool.take(100));
  for (const memory of small) pool.give(memory);
  const large = pool.take(700);
  pool.give(large);
  assert.equal(pool.take(700), large);
  pool.give(large);
  const kept = small.map(() => pool.take(100)).filter((memory) => small.includes(memory));
  assert.equal(kept.length, 3);
  pool.give(new ArrayBuffer(1001));
  assert.equal(pool.take(700), large, 'a buffer larger than the limit evicts nothing');
});

test('at most maxBytes are kept', () => {
  const pool = createPool(250);
  const given = [pool.take(100), pool.take(100), pool.take(100)];
  for (const memory of given) pool.give(memory);
  const taken = [pool.take(100), pool.take(100), pool.take(100)];
  assert.equal(taken.filter((memory) => given.includes(memory)).length, 2);
});

test('a lower bound drops what is kept above it', () => {
  const pool = createPool(300);
  const given = [pool.take(100), pool.take(100), pool.take(100)];
  for (const memory of given) pool.give(memory);
  pool.keepAtMost(150);
  const taken = [pool.take(100), pool.take(100)];
  assert.equal(taken.filter((memory) => given.includes(memory)).length, 1);
  pool.keepAtMost(300);
  for (const memory of taken) pool.give(memory);
  assert.ok(taken.includes(pool.take(100)) && taken.includes(pool.take(100)));
});

test('a pool at rest keeps nothing', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const pool = createPool(1000, 50);
  const memory = pool.take(100);
  pool.give(memory);
  t.mock.timers.tick(40);
  assert.equal(pool.take(100), memory);
  pool.give(memory);
  t.mock.timers.tick(40);
  assert.equal(pool.take(100), memory, 'each return begins a new rest');
  pool.give(memory);
  t.mock.timers.tick(50);
  assert.notEqual(pool.take(100), memory);
  pool.give(memory);
  assert.equal(pool.take(100), memory, 'it is in use again');
});
