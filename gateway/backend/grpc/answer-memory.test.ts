import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteBudget } from '../../machine/byte-budget.ts';
import { AnswerMemory, withAnswerMemory } from './answer-memory.ts';

const refused = { kind: 'overloaded', status: 503, retryAfterS: 1 };

test('answers share the memory, and what does not fit is refused until another one gives its part back', () => {
  const budget = new ByteBudget(100);
  const [one, other] = [new AnswerMemory(budget), new AnswerMemory(budget)];
  one.take(60);
  assert.throws(() => other.take(41), refused);
  other.take(40);
  one.give(60);
  other.take(60);
  assert.throws(() => one.take(1), refused);
});

test('an answer that is larger than all memory is no matter of time', () => {
  const memory = new AnswerMemory(new ByteBudget(100));
  assert.throws(() => memory.take(101), { kind: 'model_failed', message: /MAX_OUTPUT_BYTES/ });
  memory.take(60);
  assert.throws(() => memory.take(41), { kind: 'model_failed' }, 'with what is read of it');
});

test('an attempt that is late gets nothing of a call that has ended, and gives nothing back', () => {
  const budget = new ByteBudget(100);
  const [one, other] = [new AnswerMemory(budget), new AnswerMemory(budget)];
  one.take(60);
  one.release();
  assert.throws(() => one.take(1), refused);
  other.take(100);
  one.give(60);
  assert.throws(() => other.take(1), { kind: 'model_failed' });
});

test('the memory is kept until the request ends, or the call fails', async () => {
  const budget = new ByteBudget(100);
  const ends: (() => void)[] = [];
  const context = { onEnd: (end: () => void) => void ends.push(end) };
  const take = (bytes: number) => withAnswerMemory(budget, context, async (memory) => memory?.take(bytes));
  await take(100);
  await assert.rejects(take(1), refused);
  for (const end of ends.splice(0)) end();
  await take(50);
  await assert.rejects(take(60), refused);
  assert.equal(ends.length, 1, 'the failed call has given back its part already');
  await take(50);
});
