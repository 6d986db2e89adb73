import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLimit, type Limit } from './concurrency-limit.ts';

type Server = (busy: number) => number;

/** So many CPUs: beyond them, work shares. */
const cpus =
  (count: number, workMs: number): Server =>
  (busy) =>
    workMs * Math.max(1, busy / count);
/** A backend with room for all. */
const roomy = (workMs: number): Server => {
  return () => workMs;
};

/** Keeps as much running as the limit and the callers allow, for some seconds of its own clock. */
function run(
  limit: Limit,
  server: Server,
  { seconds, callers, fromS = 0 }: Record<string, number> & { seconds: number; callers: number },
) {
  const running: { endsMs: number; serviceMs: number; busyAtStart: number }[] = [];
  let nowMs = fromS * 1000;
  let done = 0;
  // A fixed sequence of work sizes, from a half to one and a half.
  let seed = 1;
  const chance = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return 0.5 + seed / 2_147_483_647;
  };
  while (nowMs < (fromS + seconds) * 1000) {
    while (running.length < Math.min(limit.current, callers)) {
      const serviceMs = server(running.length + 1) * chance();
      running.push({ serviceMs, endsMs: nowMs + serviceMs, busyAtStart: running.length + 1 });
    }
    running.sort((one, other) => one.endsMs - other.endsMs);
    const [first] = running;
    if (!first) break;
    nowMs = first.endsMs;
    const busy = Math.max(first.busyAtStart, running.length);
    running.shift();
    done += 1;
    limit.observe({ serviceMs: first.serviceMs, busy, own: 1 }, nowMs);
  }
  return done / seconds;
}

const SETTLES: readonly [string, Server, number, number, number][] = [
  // what is behind it, how it answers, callers, and the limit it has to settle between
  ['2 CPUs of 15 ms', cpus(2, 15), 200, 3, 10],
  ['16 CPUs of 15 ms', cpus(16, 15), 200, 16, 40],
  ['a remote backend with room', roomy(50), 200, 64, 64],
  ['a slow backend with room', roomy(2000), 200, 64, 64],
];

for (const [what, server, callers, least, most] of SETTLES) {
  test(`the limit settles by itself: ${what}`, (t) => {
    const limit = createLimit(64);
    run(limit, server, { seconds: 90, callers });
    t.diagnostic(`came: ${limit.current}`);
    assert.ok(limit.current >= least && limit.current <= most, `${limit.current}`);
  });
}

test('holding work back costs less than a twentieth of what could be done', () => {
  for (const [workMs, count] of [
    [15, 2],
    [50, 8],
  ] as const) {
    const done = run(createLimit(64), cpus(count, workMs), { seconds: 150, callers: 100 });
    assert.ok(done > ((count * 1000) / workMs) * 0.95, `${done} a second of ${(count * 1000) / workMs}`);
  }
});

test('a backend that becomes slower for good is not taken for an overloaded one for ever', () => {
  const limit = createLimit(64);
  run(limit, roomy(20), { seconds: 5, callers: 100 });
  assert.equal(limit.current, 64);
  run(limit, roomy(100), { seconds: 20, callers: 100, fromS: 5 });
  assert.equal(limit.current, 64);
});

test('a slow server that is never asked for half of the bound is not given all of it', () => {
  const limit = createLimit(64);
  run(limit, cpus(2, 150), { seconds: 30, callers: 12 });
  assert.ok(limit.current < 16, `${limit.current}`);
});

test('light traffic keeps the limit small, and the first flood after it is let in within seconds', () => {
  const limit = createLimit(64);
  run(limit, roomy(20), { seconds: 600, callers: 2 });
  assert.ok(limit.current < 8, `${limit.current}`);
  assert.ok(Math.abs(limit.serviceMs - 20) < 5);
  run(limit, roomy(20), { seconds: 3, callers: 100, fromS: 600 });
  assert.equal(limit.current, 64);
});

test('a backend that refuses cuts the limit by a tenth a window, and never below what keeps work going', () => {
  const limit = createLimit(64);
  for (let nowMs = 0; nowMs < 50; nowMs += 1) limit.backOff(nowMs);
  assert.equal(limit.current, 57);
  for (let nowMs = 0; nowMs < 60_000; nowMs += 100) limit.backOff(nowMs);
  assert.equal(limit.current, 3);
});

test('batches alone are measured too: one that is larger than the quiet few is quiet by itself', () => {
  const limit = createLimit(64);
  for (let nowMs = 0; nowMs < 10_000; nowMs += 100) limit.observe({ serviceMs: 100, busy: 64, own: 8 }, nowMs);
  assert.equal(limit.current, 3, 'no baseline yet: only a few at once');
  for (let nowMs = 10_000; nowMs < 20_000; nowMs += 100) limit.observe({ serviceMs: 100, busy: 8, own: 8 }, nowMs);
  assert.equal(limit.serviceMs, 100);
  assert.ok(limit.current >= 16);
});

test('MAX_IN_FLIGHT bounds it, down to one', () => {
  const limit = createLimit(1);
  run(limit, roomy(20), { seconds: 60, callers: 10 });
  assert.equal(limit.current, 1);
});
