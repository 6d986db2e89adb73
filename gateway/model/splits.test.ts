import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../errors.ts';
import { Splits, stableChoice } from './splits.ts';
import { labelsOf, REFUSED, USABLE, versionsOf } from './test-versions.ts';

const TRAFFIC = { stable: 'stable', canary: { version: 'next', share: 0.1 } };

test('labels mean numbers; a label that no server has means none, and is not asked for by each request', async () => {
  const asked: string[] = [];
  const { labels } = labelsOf({ stable: 3 });
  const counted = {
    version(label: string) {
      asked.push(label);
      return labels.version(label);
    },
    forget: (label: string) => labels.forget(label),
  };
  const splits = new Splits(counted);
  const split = { isPinned: true, stable: 3, canary: undefined };
  for (let request = 0; request < 5; request += 1) assert.deepEqual(await splits.of(TRAFFIC), split);
  assert.deepEqual(asked, ['stable', 'next']);
  assert.deepEqual(await splits.of({ stable: 1, canary: { version: 2, share: 0 } }), {
    isPinned: true,
    stable: 1,
    canary: 2,
  });
  assert.deepEqual(await splits.of(undefined), { isPinned: false, stable: undefined, canary: undefined });
});

test('requests do not wait for a label that is read again, and keep it while servers cannot tell', async (t) => {
  let answer = Promise.resolve(3);
  const splits = new Splits({ version: () => answer, forget() {} });
  assert.equal((await splits.of({ ...TRAFFIC })).stable, 3);
  const traffic = { stable: 'stable' };
  assert.equal((await splits.of(traffic)).stable, 3);
  const { now } = performance;
  let laterMs = 1500;
  t.mock.method(performance, 'now', () => now.call(performance) + laterMs);
  const later = Promise.withResolvers<number>();
  answer = later.promise;
  assert.equal((await splits.of(traffic)).stable, 3);
  later.resolve(4);
  await later.promise;
  await new Promise(setImmediate);
  assert.equal((await splits.of(traffic)).stable, 4);
  laterMs = 3000;
  answer = Promise.reject(new GatewayError('model_timeout', 'busy'));
  assert.equal((await splits.of(traffic)).stable, 4);
  await new Promise(setImmediate);
  assert.equal((await splits.of(traffic)).stable, 4);
});

test('the stable version is the pinned one, or the newest but the canary', () => {
  const versions = versionsOf({ 1: { a: USABLE }, 2: { a: USABLE }, 3: { a: REFUSED } });
  const stableOf = (split: object) =>
    stableChoice(versions, { isPinned: true, stable: undefined, canary: undefined, ...split })?.version;
  assert.deepEqual(
    [
      stableOf({ stable: 1 }),
      stableOf({ stable: 3 }),
      stableOf({}),
      stableOf({ isPinned: false }),
      stableOf({ isPinned: false, canary: 2 }),
      stableOf({ isPinned: false, canary: 9 }),
    ],
    [1, undefined, undefined, 2, 1, 2],
  );
});
