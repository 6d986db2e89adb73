/** How spare work shares the model with predictions. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { testContext } from '../domain/test-context.ts';
import { Admission } from './admission.ts';

/** Both clocks stand still. `pass`: moves them, and lets what is due run. */
function openByClock(t: TestContext) {
  let nowMs = 1000;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(performance, 'now', () => nowMs);
  const pass = async (ms: number) => {
    nowMs += ms;
    t.mock.timers.tick(ms);
    await new Promise(setImmediate);
  };
  const admission = new Admission({ maxInFlight: 8, maxQueue: 8 });
  const begun: string[] = [];
  const spare = (name: string, ms = 0) =>
    admission.admitSpare(testContext(), 1, async () => {
      begun.push(name);
      await pass(ms);
    });
  return { admission, begun, pass, spare, predict: () => admission.admit(testContext(), 1, async () => undefined) };
}

test('spare work rests in proportion to its time while predictions come', async (t) => {
  const { begun, pass, spare, predict } = openByClock(t);
  await predict();
  await spare('first', 20);
  const second = spare('second', 20);
  await pass(379);
  assert.deepEqual(begun, ['first']);
  await pass(1);
  await second;
  // No prediction has come since the first one ended.
  await spare('third', 20);
  assert.deepEqual(begun, ['first', 'second', 'third']);
});

test('the rest is never longer than a second', async (t) => {
  const { begun, pass, spare, predict } = openByClock(t);
  await predict();
  await spare('first', 5000);
  const second = spare('second');
  await pass(1000);
  await second;
  assert.deepEqual(begun, ['first', 'second']);
});

test('one spare work runs at a time while predictions come', async (t) => {
  const { admission, begun, pass, spare, predict } = openByClock(t);
  const gate = Promise.withResolvers<void>();
  const running = admission.admitSpare(testContext(), 1, () => gate.promise);
  await spare('beside');
  await predict();
  const waiting = spare('after');
  await pass(5000);
  assert.deepEqual(begun, ['beside']);
  gate.resolve();
  await running;
  await pass(1000);
  await waiting;
  assert.deepEqual(begun, ['beside', 'after']);
});
