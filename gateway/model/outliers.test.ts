import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Baseline, QUANTILES } from './baseline.ts';
import type { FeatureValue } from './buckets.ts';
import { distanceFrom, percentileIn, quantilesOf, typicalOf } from './outliers.ts';

const near = (actual: number | undefined, expected: number) =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-9, `${actual}, expected ${expected}`);

const range = (count: number) => Float64Array.from({ length: count }, (_, index) => index);

test('quantiles are those of numpy.quantile: the minimum, each percent, the maximum', () => {
  for (const [percent, value] of quantilesOf(range(201)).entries()) near(value, 2 * percent);
  const few = quantilesOf([1, 2, 4]);
  assert.deepEqual([few.length, few[0], few[25], few[50], few[75], few[100]], [QUANTILES, 1, 1.5, 2, 3, 4]);
});

test('the percentile is between the quantiles, 0 below all and 100 above all', () => {
  const quantiles = quantilesOf(range(101));
  for (const [value, percentile] of [
    [-1, 0],
    [0, 0],
    [12.5, 12.5],
    [99.5, 99.5],
    [100, 100],
    [1e9, 100],
  ] as const) {
    near(percentileIn(quantiles, value), percentile);
  }
  // Many of the same: all of them are below what is just above them.
  near(percentileIn([...new Array<number>(QUANTILES - 1).fill(5), 6], 5), 99);
});

test('outliers do not change what is typical; numbers that are all the same have the spread 1', () => {
  const numbers = Float64Array.from({ length: 1001 }, (_, index) => index / 1000);
  const { center, spread } = typicalOf(numbers);
  near(center, 0.5);
  near(spread, 0.5 / 1.3489795);
  const wild = typicalOf(Float64Array.from([...numbers.slice(0, -1), 1e12]));
  near(wild.spread, spread);
  assert.deepEqual(typicalOf([7, 7, 7]), { center: 7, spread: 1 });
  // Most are the same: the standard deviation.
  near(typicalOf([0, 0, 0, 0, 0, 0, 0, 0, 0, 10]).spread, 3);
});

const FEATURES: Baseline['features'] = {
  class: { kind: 'category', counts: { a: 10 }, other: 0, missing: 0 },
  brightness: { kind: 'number', edges: [1], counts: [5, 5], missing: 0 },
  'input.job': { kind: 'category', counts: { admin: 80, clerk: 20 }, other: 0, missing: 0 },
};
const TYPICAL = { brightness: { center: 100, spread: 20 } };

const distance = (values: Readonly<Record<string, FeatureValue>>) =>
  distanceFrom({ features: FEATURES, typical: TYPICAL }, (name) => values[name]);

test('the distance is the root mean square over the inputs, and names the farthest', () => {
  const typical = distance({ class: 'z', brightness: 100, 'input.job': 'admin' });
  near(typical?.distance, 0);
  const dark = distance({ brightness: 40, 'input.job': 'admin' });
  near(dark?.distance, Math.sqrt(9 / 2));
  assert.equal(dark?.feature, 'brightness');
  // 20 of 80 have the density of a normal at z² = 2 ln 4.
  near(distance({ 'input.job': 'clerk' })?.distance, Math.sqrt(2 * Math.log(4)));
  const unknown = distance({ brightness: 120, 'input.job': 'pilot' });
  near(unknown?.distance, Math.sqrt((1 + 2 * Math.log(160)) / 2));
  assert.equal(unknown?.feature, 'input.job');
});

test('what has no feature of the baseline has no distance; what is infinitely far is finite', () => {
  assert.equal(distance({ class: 'a', other: 1 }), undefined);
  assert.equal(distance({ brightness: Number.NaN }), undefined);
  near(distance({ brightness: Number.POSITIVE_INFINITY })?.distance, 1000);
});
