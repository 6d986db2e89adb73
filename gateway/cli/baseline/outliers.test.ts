import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BaselineBuilder } from './build.ts';

const near = (actual: number | undefined, expected: number) =>
  assert.ok(actual !== undefined && Math.abs(actual / expected - 1) < 1e-6, `${actual}, expected ${expected}`);

test('distances are those of serving/training/outliers.py', () => {
  // The same rows are in serving/training/tests/test_outliers.py.
  const builder = new BaselineBuilder({ model: 'm', version: 1 });
  for (let row = 0; row <= 100; row += 1) {
    const job = row < 80 ? 'clerk' : row < 100 ? 'pilot' : '';
    const features = new Map<string, number | string>([
      ['input.age', row < 100 ? row : 1000],
      ['input.job', job],
    ]);
    builder.add({ features, energy: -row });
  }
  const { energy, distance, typical } = builder.baseline('rows').outliers ?? {};
  assert.equal(typical?.['input.age']?.center, 50);
  near(typical?.['input.age']?.spread, 50 / 1.3489795);
  assert.deepEqual([energy?.[0], energy?.[50]], [-100, -50]);
  assert.equal(distance?.[0], 0);
  const age = (950 / (50 / 1.3489795)) ** 2;
  near(distance?.[100], Math.sqrt((age + 2 * Math.log(80)) / 2));
});
