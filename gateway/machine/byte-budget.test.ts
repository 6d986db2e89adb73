import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteBudget } from './byte-budget.ts';

test('requests share the budget, and each gives back what it took', () => {
  const budget = new ByteBudget(100);
  const [one, other] = [budget.open(), budget.open()];
  assert.equal(one.take(60), true);
  assert.equal(other.take(41), false, 'one byte too many');
  assert.equal(other.take(40), true);
  one.release();
  one.release();
  assert.equal(other.take(60), true, 'a second release gives nothing back');
  assert.equal(other.take(1), false);
  other.give(30);
  assert.equal(other.bytes, 70);
  assert.equal(one.take(30), true, 'what was given back');
});
