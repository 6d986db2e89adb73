import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from './pace.ts';

/** Sends requests to a server with `cores` cores, 10 ms each: latency grows with the requests above them. */
function settle(pace: Pace, cores: number, requests: number): number {
  for (let sent = 0; sent < requests; sent += 1) {
    pace.sent();
    pace.answered(10 * Math.max(1, pace.limit / cores));
  }
  return pace.limit;
}

test('the limit follows what the gateway can take', () => {
  const small = settle(new Pace(64), 2, 400);
  const large = settle(new Pace(64), 32, 4000);
  assert.ok(small >= 2 && small <= 12, `${small} requests for 2 cores`);
  assert.ok(large >= 32 && large <= 64, `${large} requests for 32 cores`);
});

test('the limit doubles until requests wait, so that a wide gateway is soon busy', () => {
  assert.ok(settle(new Pace(64), 64, 64) >= 60);
  // A latency that varies by a third is no queue.
  const pace = new Pace(64);
  for (let sent = 0; sent < 400; sent += 1) {
    pace.sent();
    pace.answered(10 + (sent % 2) * 3);
  }
  assert.ok(pace.limit >= 60, `${pace.limit}`);
});

test('the limit never exceeds what is asked for', () => {
  assert.equal(settle(new Pace(3), 32, 1000), 3);
});

test('requests refused together lower the limit once, and all wait for Retry-After', async () => {
  const pace = new Pace(64);
  settle(pace, 32, 1000);
  const before = pace.limit;
  for (let sent = 0; sent < 8; sent += 1) pace.sent();
  for (let sent = 0; sent < 8; sent += 1) pace.refused(300);
  assert.ok(pace.limit < before && pace.limit > before / 2, `${pace.limit} of ${before}`);
  const startMs = performance.now();
  await pace.pauseOver(new AbortController().signal);
  assert.ok(performance.now() - startMs > 200);
  assert.equal(pace.isFull, false);
});
