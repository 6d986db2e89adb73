import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { createTurns, Pace, POLLS_PER_SECOND, type PollResult } from './pace.ts';

/** The mean of a pause with jitter of a quarter is within these bounds of it. */
function assertAbout(pausesMs: readonly number[], meansMs: readonly number[]): void {
  for (const [at, meanMs] of meansMs.entries()) {
    const pauseMs = pausesMs[at] ?? 0;
    assert.ok(pauseMs >= 0.75 * meanMs && pauseMs <= 1.25 * meanMs, `pause ${at}: ${pauseMs} ms, not ${meanMs}`);
  }
}

const pausesMs = (pace: Pace, ...results: readonly PollResult[]) => results.map((result) => pace.pauseMs(result));

test('A14: a missing model is polled less and less often, until it is usable', () => {
  const pace = new Pace();
  const missing = Array<PollResult>(6).fill('missing');
  assertAbout(pausesMs(pace, ...missing), [250, 500, 1000, 2000, 4000, 4000]);
  assertAbout(pausesMs(pace, 'busy', 'usable', 'missing', 'missing'), [2000, 2000, 250, 500]);
});

test('A14: a model that is loading, or whose server is not there yet, is polled every second', () => {
  const pace = new Pace();
  assertAbout(pausesMs(pace, 'soon', 'soon', 'soon', 'soon'), [250, 500, 1000, 1000]);
  assertAbout(pausesMs(new Pace(), 'missing', 'missing', 'missing', 'missing', 'soon'), [250, 500, 1000, 2000, 1000]);
});

test('A14: pauses have jitter', () => {
  assert.ok(new Set(Array.from({ length: 10 }, () => new Pace().pauseMs('missing'))).size > 1);
});

test('A14: all models together are polled at a bounded rate, after a burst', async () => {
  const turn = createTurns();
  const { signal } = new AbortController();
  const startMs = performance.now();
  await Promise.all(Array.from({ length: 1.5 * POLLS_PER_SECOND }, () => turn(signal)));
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs >= 490, `${tookMs} ms for one and a half seconds of polls, one of them as a burst`);
});

test('a turn ends when the signal is aborted', async () => {
  const turn = createTurns();
  const stop = new AbortController();
  const turns = Promise.all(Array.from({ length: 3 * POLLS_PER_SECOND }, () => turn(stop.signal)));
  stop.abort();
  await turns;
});
