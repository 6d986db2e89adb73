import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRateLimits } from './rate-limits.ts';

const identity = 'key:shop';

test('E25: a changed quota keeps the count of the day', async () => {
  const limits = createRateLimits();
  const ask = async (quota: number) => {
    const [state] = await limits({ identity, quota });
    return [state?.remaining, state?.isOver];
  };
  assert.deepEqual(
    [await ask(3), await ask(3)],
    [
      [2, false],
      [1, false],
    ],
  );
  assert.deepEqual(await ask(5), [2, false]);
  assert.deepEqual(await ask(2), [0, true]);
  assert.deepEqual(
    [await ask(5), await ask(5), await ask(5), await ask(5)],
    [
      [1, false],
      [0, false],
      [0, true],
      [0, true],
    ],
  );
  assert.deepEqual(await ask(6), [0, false], 'a refused request was counted');
});

test('E25: a changed rate keeps the count of its window; another window has its own', async () => {
  const limits = createRateLimits();
  const ask = async (count: number, windowS: number) => (await limits({ identity, rate: { count, windowS } }))[0];
  await ask(3, 3600);
  assert.equal((await ask(10, 3600))?.remaining, 8);
  assert.equal((await ask(2, 3600))?.isOver, true);
  assert.equal((await ask(2, 60))?.remaining, 1);
});

test('callers count for themselves, and a request over its rate does not count for the quota', async () => {
  const limits = createRateLimits();
  const caller = { identity, rate: { count: 1, windowS: 3600 }, quota: 10 };
  assert.deepEqual(
    (await limits(caller)).map(({ remaining }) => remaining),
    [0, 9],
  );
  assert.deepEqual(
    (await limits(caller)).map(({ policy, isOver }) => [policy, isOver]),
    [['rate', true]],
  );
  assert.equal((await limits({ identity, quota: 10 }))[0]?.remaining, 8);
  assert.equal((await limits({ identity: 'key:other', quota: 10 }))[0]?.remaining, 9);
});
