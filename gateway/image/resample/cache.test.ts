import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTableCache } from './cache.ts';

function counted(maxBytes: number) {
  const cache = createTableCache<{ bytes: number }>(maxBytes);
  const made: string[] = [];
  const get = (key: string, bytes = 10) =>
    cache(key, () => {
      made.push(key);
      return { bytes };
    });
  return { get, made };
}

test('a cached table is not made again', () => {
  const { get, made } = counted(100);
  assert.equal(get('a'), get('a'));
  assert.deepEqual(made, ['a']);
});

test('the least recently used table is evicted first', () => {
  const { get, made } = counted(30);
  for (const key of ['a', 'b', 'c', 'a', 'd', 'a', 'c', 'b']) get(key);
  assert.deepEqual(made, ['a', 'b', 'c', 'd', 'b']);
});

test('a table larger than the limit is returned but not cached', () => {
  const { get, made } = counted(30);
  get('a');
  assert.equal(get('huge', 31).bytes, 31);
  get('huge', 31);
  get('a');
  assert.deepEqual(made, ['a', 'huge', 'huge', 'a']);
});
