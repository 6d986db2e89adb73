import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createTurnShare } from './turn-share.ts';

/** Replaces the clock. Returns what lets it go on. */
function mockClock(t: TestContext): (ms: number) => void {
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  return (ms) => {
    nowMs += ms;
  };
}

test('work begins at once until the share of the turn is used, and the rest in later turns', async (t) => {
  const pass = mockClock(t);
  const begin = createTurnShare(5);
  const begun: number[] = [];
  const take = (number: number) =>
    begin(() => {
      begun.push(number);
      pass(3);
    });
  for (let number = 0; number < 5; number += 1) take(number);
  assert.deepEqual(begun, [0, 1]);
  await nextTurn();
  take(5);
  assert.deepEqual(begun, [0, 1, 2, 3], 'the new one waits behind the others');
  await nextTurn();
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5]);
  await nextTurn();
  take(6);
  assert.equal(begun.at(-1), 6, 'a new turn has a new share');
});

test('what has begun goes on before more begins', async (t) => {
  const pass = mockClock(t);
  const begin = createTurnShare(1);
  const order: string[] = [];
  for (const name of ['one', 'two', 'three'])
    begin(() => {
      pass(2);
      order.push(name);
      queueMicrotask(() => order.push(`${name} goes on`));
    });
  while (order.length < 6) await nextTurn();
  assert.deepEqual(order, ['one', 'one goes on', 'two', 'two goes on', 'three', 'three goes on']);
});
