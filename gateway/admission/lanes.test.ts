import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLanes } from './lanes.ts';

const never = new AbortController().signal;

test('lanes are lent while a source is waited for, and taken back before new work begins', async () => {
  let freed = 0;
  const lanes = createLanes({ maxHeld: 20, maxBusy: () => 2, onFree: () => (freed += 1) });
  const source = Promise.withResolvers<void>();
  const order: number[] = [];
  const slow = Array.from({ length: 10 }, async (_, index) => {
    lanes.take(1);
    await lanes.lend(never, () => source.promise);
    order.push(index);
  });
  assert.deepEqual([lanes.busy, lanes.fits(2), freed], [0, true, 10]);
  assert.equal(lanes.fits(11), false, 'those who wait for their source are still held in memory');

  source.resolve();
  await new Promise(setImmediate);
  assert.deepEqual(order, [0, 1]);
  assert.equal(lanes.fits(1), false, 'eight want to come back first');
  for (const _ of slow) {
    lanes.give(1);
    await new Promise(setImmediate);
  }
  await Promise.all(slow);
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual([lanes.busy, lanes.fits(2)], [0, true]);
});

test('who gives up while coming back takes its lane all the same, because it gives it back as it ends', async () => {
  const lanes = createLanes({ maxHeld: 20, maxBusy: () => 1, onFree: () => undefined });
  lanes.take(1);
  const gone = new AbortController();
  const source = Promise.withResolvers<void>();
  const lending = lanes.lend(gone.signal, () => source.promise);
  lanes.take(1);
  source.resolve();
  await new Promise(setImmediate);
  gone.abort();
  await lending;
  assert.equal(lanes.busy, 2);
  lanes.give(1);
  lanes.give(1);
  assert.deepEqual([lanes.busy, lanes.fits(1)], [0, true]);
});

test('work that needs more lanes than there are goes alone', () => {
  const lanes = createLanes({ maxHeld: 64, maxBusy: () => 3, onFree: () => undefined });
  assert.equal(lanes.fits(8), true);
  lanes.take(8);
  assert.equal(lanes.fits(1), false);
});
