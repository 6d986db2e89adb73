import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jensenShannon, lInfinity, populationStability } from './distances.ts';

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, expected ${expected}`);

test('distances of counts whose values are known', () => {
  // (0.5 - 0.25) ln 2 + (0.5 - 0.75) ln (0.5 / 0.75)
  near(populationStability([50, 50], [10, 30]), 0.25 * Math.log(2) - 0.25 * Math.log(2 / 3));
  near(jensenShannon([1, 0], [0, 5]), 1);
  // H(3/8, 5/8) - (H(1/2, 1/2) + H(1/4, 3/4)) / 2
  near(jensenShannon([50, 50], [10, 30]), 0.954434002924965 - (1 + 0.811278124459133) / 2);
  near(lInfinity([50, 50], [10, 30]), 0.25);
});

test('a bucket that only one side has counts: PSI takes 1e-4 for its share', () => {
  near(populationStability([100, 0], [50, 50]), 0.5 * Math.log(2) + (0.5 - 1e-4) * Math.log(0.5 / 1e-4));
  near(lInfinity([100, 0], [50, 50]), 0.5);
});

const counts = fc
  .array(fc.tuple(fc.nat(1000), fc.nat(1000)), { minLength: 1, maxLength: 60 })
  .filter((pairs) => [0, 1].every((side) => pairs.some((pair) => (pair[side] ?? 0) > 0)))
  .map((pairs) => [pairs.map(([one]) => one), pairs.map(([, other]) => other)] as const);

test('distances are 0 for the same shares, symmetrical, within their bounds, and do not depend on the totals', () => {
  fc.assert(
    fc.property(counts, ([one, other]) => {
      for (const distance of [populationStability, jensenShannon, lInfinity]) {
        const value = distance(one, other);
        near(distance(other, one), value);
        near(
          distance(
            one,
            other.map((count) => count * 7),
          ),
          value,
        );
        near(distance(one, one), 0);
        assert.ok(value > -1e-12 && (distance === populationStability || value <= 1 + 1e-12), `${value}`);
      }
    }),
  );
});

test('counts that are all 0, or of other buckets, have no distance', () => {
  assert.throws(() => jensenShannon([1, 2], [0, 0]), RangeError);
  assert.throws(() => lInfinity([1, 2], [1]), RangeError);
});
