import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { type TestContext, test } from 'node:test';
import { UnreadAnswers } from './unread-answers.ts';

const KIB = 1024;
const OVERLOADED = { kind: 'overloaded', isUnavailable: true };

/** Memory of 400 KiB, and a clock that stands still. `answer` holds an answer; it is open until it emits `close`. */
function start(t: TestContext) {
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  const dropped: string[] = [];
  let drops = 0;
  const answers = new UnreadAnswers(400 * KIB, () => {
    drops += 1;
  });
  return {
    answers,
    dropped,
    drops: () => drops,
    answer(name: string, bytes: number): EventEmitter {
      const answering = new EventEmitter();
      answers.hold(answering, bytes, () => dropped.push(name));
      return answering;
    },
    wait(ms: number): void {
      nowMs += ms;
    },
  };
}

test('answers together are bounded until their clients have taken them; small ones do not count', (t) => {
  const { answer } = start(t);
  const one = answer('one', 200 * KIB);
  answer('two', 200 * KIB);
  for (let small = 0; small < 20; small += 1) answer('small', 64 * KIB);
  assert.throws(() => answer('three', 100 * KIB), OVERLOADED);
  one.emit('close');
  answer('three', 100 * KIB);
});

test('answers that have waited for a second give their memory to others, the oldest first', (t) => {
  const { answer, dropped, drops, wait } = start(t);
  const one = answer('one', 200 * KIB);
  wait(999);
  answer('two', 200 * KIB);
  assert.throws(() => answer('three', 100 * KIB), OVERLOADED);
  wait(1);
  answer('three', 100 * KIB);
  assert.deepEqual(dropped, ['one']);
  one.emit('close');
  wait(5000);
  answer('four', 400 * KIB);
  assert.deepEqual(dropped, ['one', 'two', 'three']);
  assert.equal(drops(), 3);
});

test('bodies and answers that are not written yet use the same memory', (t) => {
  const { answer, answers, dropped, wait } = start(t);
  answer('one', 300 * KIB);
  const body = answers.budget.open();
  assert.equal(body.take(200 * KIB), false);
  wait(1000);
  assert.equal(body.take(200 * KIB), true);
  assert.deepEqual(dropped, ['one']);
  const release = answers.take(200 * KIB);
  assert.throws(() => answers.take(1), OVERLOADED);
  release();
  answers.take(200 * KIB);
});

test('one answer alone may be larger than all may be together', (t) => {
  const { answer } = start(t);
  const large = answer('large', 900 * KIB);
  assert.throws(() => answer('large too', 900 * KIB), OVERLOADED);
  large.emit('close');
  answer('large too', 900 * KIB);
});
