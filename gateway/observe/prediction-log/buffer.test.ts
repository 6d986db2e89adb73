import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BufferOptions, type Destination, LineBuffer, LinesLost, type Outcome } from './buffer.ts';

/** A buffer whose destination does `write`, and what became of its lines. */
function rig(write: Destination['write'], options: Partial<BufferOptions> = {}) {
  const outcomes: Record<Outcome, number> = { written: 0, buffer_full: 0, write_failed: 0 };
  const troubles: unknown[] = [];
  let closed = 0;
  const buffer = new LineBuffer({
    destination: {
      write,
      async close() {
        closed += 1;
      },
    },
    onOutcome(outcome, lines) {
      outcomes[outcome] += lines;
    },
    onTrouble: (cause) => troubles.push(cause),
    ...options,
  });
  return { buffer, outcomes, troubles, closed: () => closed };
}

test('lines are written in their order after a second, and a line that follows does not postpone it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const writes: (readonly string[])[] = [];
  const { buffer } = rig(async (lines) => void writes.push(lines));
  buffer.add('a');
  t.mock.timers.tick(600);
  buffer.add('b');
  assert.deepEqual(writes, []);
  t.mock.timers.tick(400);
  assert.deepEqual(writes, [['a', 'b']]);
});

test('a destination that hangs costs the lines that have no room, and no more memory', async () => {
  const free = Promise.withResolvers<void>();
  const { buffer, outcomes, closed } = rig(() => free.promise, { maxLength: 1000, flushMs: 0 });
  const line = 'x'.repeat(100);
  const taken = Array.from({ length: 50 }, () => buffer.add(line)).filter(Boolean).length;
  assert.equal(taken, 10);
  assert.deepEqual(outcomes, { written: 0, buffer_full: 40, write_failed: 0 });
  free.resolve();
  await buffer.close(1000);
  assert.equal(outcomes.written, 10);
  assert.equal(closed(), 1);
});

test('a stop gives up a write that hangs, and counts its lines', async () => {
  const { buffer, outcomes, closed } = rig(
    (_lines, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  );
  for (let line = 0; line < 5; line += 1) buffer.add('line');
  await buffer.close(1);
  assert.deepEqual(outcomes, { written: 0, buffer_full: 0, write_failed: 5 });
  assert.equal(closed(), 1);
});

test('trouble is told once, and its end', async () => {
  let fails = true;
  const { buffer, outcomes, troubles } = rig(async (lines) => {
    if (fails) throw new LinesLost('full', Math.min(lines.length, 2));
  });
  const long = 'x'.repeat(300_000); // one write for each
  for (let line = 0; line < 3; line += 1) buffer.add(long);
  buffer.add('a');
  await buffer.close(1000);
  assert.deepEqual([outcomes.write_failed, outcomes.written], [4, 0]);
  assert.equal(troubles.length, 1);
  fails = false;
  buffer.add('b');
  await buffer.close(1000);
  assert.deepEqual([troubles.length, troubles[1], outcomes.written], [2, undefined, 1]);
});
