import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConcurrencyLimit, createConcurrencyLimit } from './concurrency-limit.ts';

type Server = (busy: number) => number;

/** A server with so many CPUs: more work than that shares them. */
const cpus =
  (count: number, workMs: number): Server =>
  (busy) =>
    workMs * Math.max(1, busy / count);
/** A backend whose time does not depend on the load. */
const roomy = (workMs: number): Server => {
  return () => workMs;
};

/** Keeps as much running as the limit and the callers allow, for some seconds of simulated time. */
function run(
  limit: ConcurrencyLimit,
  server: Server,
  { seconds, callers, fromS = 0 }: Record<string, number> & { seconds: number; callers: number },
) {
  const running: { endsMs: number; serviceMs: number; busyAtStart: number }[] = [];
  let nowMs = fromS * 1000;
  let done = 0;
  // Work sizes from 0.5 to 1.5, the same sequence in each run.
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
  // the server, its service time by load, callers, and the range that the limit settles in
  ['2 CPUs of 15 ms', cpus(2, 15), 200, 3, 10],
  ['16 CPUs of 15 ms', cpus(16, 15), 200, 16, 40],
  ['a remote backend with room', roomy(50), 200, 64, 64],
  ['a slow backend with room', roomy(2000), 200, 64, 64],
];

for (const [what, server, callers, least, most] of SETTLES) {
  test(`the limit settles for ${what}`, (t) => {
    const limit = createConcurrencyLimit(64);
    run(limit, server, { seconds: 90, callers });
    t.diagnostic(`came: ${limit.current}`);
    assert.ok(limit.current >= least && limit.current <= most, `${limit.current}`);
  });
}

test('the limit costs less than 5 % of the possible throughput', () => {
  for (const [workMs, count] of [
    [15, 2],
    [50, 8],
  ] as const) {
    const done = run(createConcurrencyLimit(64), cpus(count, workMs), { seconds: 150, callers: 100 });
    assert.ok(done > ((count * 1000) / workMs) * 0.95, `${done} a second of ${(count * 1000) / workMs}`);
  }
});

test('a backend that becomes slower for good gets its concurrency back', () => {
  const limit = createConcurrencyLimit(64);
  run(limit, roomy(20), { seconds: 5, callers: 100 });
  assert.equal(limit.current, 64);
  run(limit, roomy(100), { seconds: 20, callers: 100, fromS: 5 });
  assert.equal(limit.current, 64);
});

test('a limit that is not half used does not grow', () => {
  const limit = createConcurrencyLimit(64);
  run(limit, cpus(2, 150), { seconds: 30, callers: 12 });
  assert.ok(limit.current < 16, `${limit.current}`);
});

test('light traffic keeps the limit low, and it grows to its maximum within seconds of a flood', () => {
  const limit = createConcurrencyLimit(64);
  run(limit, roomy(20), { seconds: 600, callers: 2 });
  assert.ok(limit.current < 8, `${limit.current}`);
  assert.ok(Math.abs(limit.serviceMs - 20) < 5);
  run(limit, roomy(20), { seconds: 3, callers: 100, fromS: 600 });
  assert.equal(limit.current, 64);
});

test('a full backend lowers the limit by a tenth at most once a window, and never below what keeps work going', () => {
  const limit = createConcurrencyLimit(64);
  run(limit, roomy(20), { seconds: 5, callers: 100 });
  for (let nowMs = 10_000; nowMs < 10_050; nowMs += 1) limit.backOff(nowMs);
  assert.equal(limit.current, 57);
  for (let nowMs = 10_100; nowMs < 70_000; nowMs += 100) limit.backOff(nowMs);
  assert.equal(limit.current, 3);
});

test('a batch that runs alone gives a baseline, though it is larger than FEW', () => {
  const limit = createConcurrencyLimit(64);
  for (let nowMs = 0; nowMs < 10_000; nowMs += 100) limit.observe({ serviceMs: 100, busy: 64, own: 8 }, nowMs);
  assert.equal(limit.current, 3, 'no baseline yet');
  for (let nowMs = 10_000; nowMs < 20_000; nowMs += 100) limit.observe({ serviceMs: 100, busy: 8, own: 8 }, nowMs);
  assert.equal(limit.serviceMs, 100);
  assert.ok(limit.current >= 16);
});

test('a maximum of one holds', () => {
  const limit = createConcurrencyLimit(1);
  run(limit, roomy(20), { seconds: 60, callers: 10 });
  assert.equal(limit.current, 1);
});
