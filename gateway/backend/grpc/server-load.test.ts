import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { type CallMark, ServerLoad } from './server-load.ts';

const PHOTOS = { model: 'photos' };

/** A clock that the test moves. */
function useClock(t: TestContext): { nowMs: number } {
  const clock = { nowMs: 1000 };
  t.mock.method(performance, 'now', () => clock.nowMs);
  return clock;
}

/** A server that has answered eight calls, each in so many milliseconds. */
function seasoned(clock: { nowMs: number }, tookMs: number, mark: CallMark = PHOTOS): ServerLoad {
  const load = new ServerLoad();
  for (let call = 0; call < 8; call += 1) answer(load, clock, tookMs, mark);
  return load;
}

function answer(load: ServerLoad, clock: { nowMs: number }, tookMs: number, mark: CallMark = PHOTOS): void {
  const end = load.start(mark);
  clock.nowMs += tookMs;
  end(status.OK);
}

test('each call a server works on makes the next one dearer', (t) => {
  useClock(t);
  const load = new ServerLoad();
  assert.equal(load.cost(PHOTOS, 20), 1);
  const ends = [load.start(PHOTOS), load.start({})];
  assert.equal(load.cost(PHOTOS, 20), 3);
  for (const end of ends) end(status.OK);
  assert.equal(load.cost(PHOTOS, 20), 1);
});

test('a slow server costs as many times more as it is slower; differences of one kind cost nothing', (t) => {
  const clock = useClock(t);
  const quick = seasoned(clock, 20);
  assert.equal(quick.quickestMs('photos'), 20);
  assert.equal(quick.cost(PHOTOS, 20), 1);
  assert.equal(seasoned(clock, 100).cost(PHOTOS, 20), 1);
  assert.equal(seasoned(clock, 290).cost(PHOTOS, 20), 100);
  assert.equal(seasoned(clock, 290).cost({ model: 'another' }, 20), 1, 'each model by itself');
  assert.equal(seasoned(clock, 290).cost({}, 20), 1, 'a look-up');
  assert.equal(seasoned(clock, 20).cost(PHOTOS, 0.2), 1, 'milliseconds are noise');
  const mixed = seasoned(clock, 290);
  answer(mixed, clock, 20);
  assert.equal(mixed.cost(PHOTOS, 20), 1, 'large batches make no server slow');
});

test('a slow server is tried again every 10 s, by one call', (t) => {
  const clock = useClock(t);
  const slow = seasoned(clock, 290);
  clock.nowMs += 9000;
  assert.equal(slow.cost(PHOTOS, 20), 100);
  clock.nowMs += 1500;
  assert.equal(slow.cost(PHOTOS, 20), 1);
  const end = slow.start(PHOTOS);
  assert.equal(slow.cost(PHOTOS, 20), 200);
  clock.nowMs += 290;
  end(status.OK);
  assert.equal(slow.cost(PHOTOS, 20), 100);
  clock.nowMs += 10_500;
  answer(slow, clock, 20);
  assert.equal(slow.cost(PHOTOS, 20), 1, 'it is quick again');
});

test('a refusal keeps others away for a moment, and a second attempt from where the first is', (t) => {
  const clock = useClock(t);
  const load = new ServerLoad();
  load.start(PHOTOS)(status.RESOURCE_EXHAUSTED);
  assert.equal(load.cost(PHOTOS, 20), Number.POSITIVE_INFINITY);
  clock.nowMs += 250;
  assert.equal(load.cost(PHOTOS, 20), 1);
  const end = load.start({ ...PHOTOS, call: '7' });
  assert.equal(load.cost({ ...PHOTOS, call: '7' }, 20), Number.POSITIVE_INFINITY);
  assert.equal(load.cost({ ...PHOTOS, call: '8' }, 20), 2);
  end(status.CANCELLED);
  assert.equal(load.cost({ ...PHOTOS, call: '7' }, 20), 1);
});

test('failures tell nothing of how quick a server is, and memory of models is bounded', (t) => {
  const clock = useClock(t);
  const load = seasoned(clock, 20);
  load.start(PHOTOS)(status.INTERNAL);
  assert.equal(load.quickestMs('photos'), 20);
  for (let name = 0; name < 32; name += 1) answer(load, clock, 1, { model: `model ${name}` });
  assert.equal(load.quickestMs('photos'), undefined);
});
