import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayError } from '../errors.ts';
import { type MemoryState, memoryLimitBytes, nextState, readProcessMemory, watchMemory } from './memory-watch.ts';

test('F9: keep-alive ends above 92 %, requests are refused above 95 %, and both resume at a lower level', () => {
  const steps: readonly [share: number, state: MemoryState][] = [
    [0.5, 'ok'],
    [0.92, 'ok'],
    [0.921, 'high'],
    [0.95, 'high'],
    [0.951, 'full'],
    [0.93, 'full'],
    [0.92, 'high'],
    [0.91, 'high'],
    [0.9, 'ok'],
    [0.91, 'ok'],
    [0.99, 'full'],
    [0.1, 'ok'],
  ];
  let state: MemoryState = 'ok';
  for (const [share, next] of steps) {
    state = nextState(state, share);
    assert.equal(state, next, `${share}`);
  }
});

test('with full memory, check throws 503 for all clients', () => {
  const changes: MemoryState[] = [];
  const watch = watchMemory(
    () => 0.96,
    (state) => changes.push(state),
  );
  assert.deepEqual([watch.state, watch.share, changes], ['full', 0.96, ['full']]);
  assert.throws(
    () => watch.check(),
    (error: GatewayError) => error.kind === 'overloaded' && error.status === 503 && error.retryAfterS === 1,
  );
  watch.close();
});

test('A06: while the memory cannot be read, the last reading stays', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const readings = [0.5, new Error('EMFILE'), 0.96];
  const watch = watchMemory(
    () => {
      const reading = readings.shift() ?? 0;
      if (reading instanceof Error) throw reading;
      return reading;
    },
    () => undefined,
  );
  t.mock.timers.tick(250);
  assert.deepEqual([watch.state, watch.share], ['ok', 0.5]);
  t.mock.timers.tick(250);
  assert.deepEqual([watch.state, watch.share], ['full', 0.96]);
  watch.close();
});

test('the memory of this process is read as a share of its limits', () => {
  const heap = readProcessMemory(undefined);
  assert.ok(heap > 0 && heap < 0.5, `${heap}`);
  const rss = process.memoryUsage.rss();
  assert.ok(Math.abs(readProcessMemory(rss) - 1) < 0.2);
  assert.ok((memoryLimitBytes(Number.MAX_VALUE) ?? 0) > 0);
  assert.equal(memoryLimitBytes(1), undefined, 'a limit above the memory of the machine means no limit');
});
