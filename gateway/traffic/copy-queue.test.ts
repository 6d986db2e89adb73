import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CopyQueue, type CopyQueueOptions } from './copy-queue.ts';

/** A queue whose copies are sent until `finish` is called. */
function rig(options: Partial<CopyQueueOptions> = {}) {
  const queue = new CopyQueue({ maxBytes: 1000, isBusy: () => false, ...options });
  const sent: string[] = [];
  const dropped: string[] = [];
  const endings: (() => void)[] = [];
  function add(name: string, { model = 'm', bytes = 10 } = {}): void {
    const share = queue.take(bytes);
    if (!share) return void dropped.push(`${name} no memory`);
    queue.add({
      model,
      async send() {
        sent.push(name);
        await new Promise<void>((resolve) => endings.push(resolve));
        share.release();
      },
      drop(reason) {
        dropped.push(`${name} ${reason}`);
        share.release();
      },
    });
  }
  return { queue, sent, dropped, add, finish: () => endings.shift()?.() };
}

test('copies are sent in a later turn, four of a model at once, and models do not wait for each other', async () => {
  const { sent, add, finish } = rig();
  for (const name of ['1', '2', '3', '4', '5', '6']) add(name);
  add('other', { model: 'other' });
  assert.deepEqual(sent, []);
  await nextTurn();
  assert.deepEqual(sent, ['1', '2', '3', '4', 'other']);
  finish();
  await nextTurn();
  await nextTurn();
  assert.deepEqual(sent, ['1', '2', '3', '4', 'other', '5']);
});

test('while requests need all there is, copies are dropped', async () => {
  let isBusy = true;
  const { sent, dropped, add } = rig({ isBusy: () => isBusy });
  add('1');
  await nextTurn();
  assert.deepEqual([sent, dropped], [[], ['1 busy']]);
  isBusy = false;
  add('2');
  await nextTurn();
  assert.deepEqual(sent, ['2']);
});

test('without memory the copy that has waited longest makes room; one that never fits drops no other', async () => {
  const { queue, sent, dropped, add } = rig();
  for (const name of ['1', '2', '3', '4']) add(name, { bytes: 200 });
  await nextTurn();
  add('5', { bytes: 200 });
  add('6', { bytes: 200 });
  assert.deepEqual(dropped, ['5 memory']);
  add('huge', { bytes: 1001 });
  assert.deepEqual(dropped, ['5 memory', 'huge no memory']);
  const answer = queue.memory.open();
  assert.equal(answer.take(300), false, 'what is on its way keeps its memory');
  assert.deepEqual(dropped.slice(2), ['6 memory']);
  assert.deepEqual(sent, ['1', '2', '3', '4']);
});

test('behind a version that does not keep up, 32 copies wait, for five seconds at most', async () => {
  let nowMs = 0;
  const { sent, dropped, add, finish } = rig({ now: () => nowMs });
  for (let index = 1; index <= 4; index += 1) add(`${index}`);
  await nextTurn();
  for (let index = 5; index <= 38; index += 1) add(`${index}`);
  assert.deepEqual(dropped, ['5 queue_full', '6 queue_full']);
  nowMs = 5001;
  add('last');
  finish();
  await nextTurn();
  await nextTurn();
  assert.deepEqual(sent, ['1', '2', '3', '4', 'last']);
  assert.equal(dropped.filter((line) => line.endsWith(' late')).length, 31);
});
