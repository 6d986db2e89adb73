import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { type CallInfo, ServerLoad } from './server-load.ts';

const PHOTOS = { model: 'photos' };

/** Replaces performance.now() by a clock that the test sets. */
function useClock(t: TestContext): { nowMs: number } {
  const clock = { nowMs: 1000 };
  t.mock.method(performance, 'now', () => clock.nowMs);
  return clock;
}

/** A server with eight measured calls of `tookMs` each. */
function measured(clock: { nowMs: number }, tookMs: number, info: CallInfo = PHOTOS): ServerLoad {
  const load = new ServerLoad();
  for (let call = 0; call < 8; call += 1) answer(load, clock, tookMs, info);
  return load;
}

function answer(load: ServerLoad, clock: { nowMs: number }, tookMs: number, info: CallInfo = PHOTOS): void {
  const end = load.start(info);
  clock.nowMs += tookMs;
  end(status.OK);
}

test('each call in flight raises the cost of the next one', (t) => {
  useClock(t);
  const load = new ServerLoad();
  assert.equal(load.cost(PHOTOS, 20), 1);
  const ends = [load.start(PHOTOS), load.start({})];
  assert.equal(load.cost(PHOTOS, 20), 3);
  for (const end of ends) end(status.OK);
  assert.equal(load.cost(PHOTOS, 20), 1);
});

test('cost grows with the square of the slowness; up to four times slower costs nothing', (t) => {
  const clock = useClock(t);
  const quick = measured(clock, 20);
  assert.equal(quick.quickestMs('photos'), 20);
  assert.equal(quick.cost(PHOTOS, 20), 1);
  assert.equal(measured(clock, 100).cost(PHOTOS, 20), 1);
  assert.equal(measured(clock, 290).cost(PHOTOS, 20), 100);
  assert.equal(measured(clock, 290).cost({ model: 'another' }, 20), 1, 'each model is measured separately');
  assert.equal(measured(clock, 290).cost({}, 20), 1, 'a look-up');
  assert.equal(measured(clock, 20).cost(PHOTOS, 0.2), 1, 'a few milliseconds are noise');
  const mixed = measured(clock, 290);
  answer(mixed, clock, 20);
  assert.equal(mixed.cost(PHOTOS, 20), 1, 'large batches do not make a server slow');
});

test('a slow server is probed every 10 s by one call', (t) => {
  const clock = useClock(t);
  const slow = measured(clock, 290);
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
  assert.equal(slow.cost(PHOTOS, 20), 1, 'quick again after a quick answer');
});

test('a refusal keeps calls away for 200 ms, and a second attempt avoids the server of the first', (t) => {
  const clock = useClock(t);
  const load = new ServerLoad();
  load.start(PHOTOS)(status.RESOURCE_EXHAUSTED);
  assert.equal(load.cost(PHOTOS, 20), Number.POSITIVE_INFINITY);
  clock.nowMs += 250;
  assert.equal(load.cost(PHOTOS, 20), 1);
  const end = load.start({ ...PHOTOS, callId: '7' });
  assert.equal(load.cost({ ...PHOTOS, callId: '7' }, 20), Number.POSITIVE_INFINITY);
  assert.equal(load.cost({ ...PHOTOS, callId: '8' }, 20), 2);
  end(status.CANCELLED);
  assert.equal(load.cost({ ...PHOTOS, callId: '7' }, 20), 1);
});

test('B13: a hung server is slow: calls that a hedge cancelled are not its response times', (t) => {
  const clock = useClock(t);
  const cancel = (load: ServerLoad, afterMs: number) => {
    const end = load.start(PHOTOS);
    clock.nowMs += afterMs;
    end(status.CANCELLED);
  };
  const hung = measured(clock, 20);
  // First attempts, cancelled when the hedge was answered, and second attempts, cancelled by the answer of the first.
  for (let call = 0; call < 8; call += 1) cancel(hung, call % 2 === 0 ? 310 : 3);
  assert.equal(hung.quickestMs('photos'), 20, 'the bar for the other servers');
  assert.ok(hung.cost(PHOTOS, 20) > 100);
  answer(hung, clock, 20);
  assert.equal(hung.cost(PHOTOS, 20), 1, 'one answer ends it');

  const neverAnswered = new ServerLoad();
  for (let call = 0; call < 8; call += 1) cancel(neverAnswered, 310);
  assert.ok(neverAnswered.cost(PHOTOS, 20) > 100);

  const quick = measured(clock, 20);
  for (let call = 0; call < 20; call += 1) cancel(quick, 3);
  assert.equal(quick.cost(PHOTOS, 20), 1, 'clients that hang up early do not make a server slow');
});

test('failures do not count as response times, and the number of models is bounded', (t) => {
  const clock = useClock(t);
  const load = measured(clock, 20);
  load.start(PHOTOS)(status.INTERNAL);
  assert.equal(load.quickestMs('photos'), 20);
  for (let name = 0; name < 32; name += 1) answer(load, clock, 1, { model: `model ${name}` });
  assert.equal(load.quickestMs('photos'), undefined);
});
