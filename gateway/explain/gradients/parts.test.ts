import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callsOf, type Part, shortParts } from './parts.ts';
import { quadratureOf } from './quadrature.ts';

const RULES = ['gauss-legendre', 'trapezoid'] as const;

/** What the signature answers for a part of the line, where the slope at a place is known, times the factor. */
function attributionOf({ start, end, steps, rule, factor }: Part, slope: (place: number) => number): number {
  const { places, weights } = quadratureOf(rule, steps);
  const mean = places.reduce(
    (sum, place, at) => sum + (weights[at] as number) * slope(start + place * (end - start)),
    0,
  );
  return factor * (end - start) * mean;
}

const sumOf = (parts: readonly Part[], slope: (place: number) => number) =>
  parts.reduce((sum, part) => sum + attributionOf(part, slope), 0);

for (const rule of RULES) {
  test(`short parts give the same sum as the whole line by ${rule}`, () => {
    const slope = (place: number) => Math.exp(place) + Math.max(0, 5 * place - 2);
    for (const steps of [2, 3, 4, 5, 7, 20, 50, 511, 512]) {
      const { places, weights } = quadratureOf(rule, steps);
      const whole = places.reduce((sum, place, at) => sum + (weights[at] as number) * slope(place), 0);
      const parts = shortParts(rule, steps);
      assert.ok(Math.abs(sumOf(parts, slope) - whole) < 1e-12, `${steps} steps`);
      assert.ok(parts.every((part) => part.steps <= 3));
      const [first] = parts;
      assert.deepEqual([first?.start, first?.end], [0, 1]);
    }
  });
}

test('Gauss-Legendre integrates polynomials up to the degree 2 n - 1 exactly, and its weights add up to 1', () => {
  for (const steps of [2, 3, 6, 25]) {
    const { weights } = quadratureOf('gauss-legendre', steps);
    assert.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-13);
    for (let degree = 0; degree < 2 * steps; degree += 1) {
      const found = sumOf(shortParts('gauss-legendre', steps), (place) => (degree + 1) * place ** degree);
      assert.ok(Math.abs(found - 1) < 1e-11, `${steps} steps, degree ${degree}: ${found}`);
    }
  }
});

test('the trapezoid rule has the points 0, 1/2 and 1', () => {
  const { places, weights } = quadratureOf('trapezoid', 3);
  assert.deepEqual(
    [Array.from(places), Array.from(weights)],
    [
      [0, 0.5, 1],
      [0.25, 0.5, 0.25],
    ],
  );
});

test('the calls of the parts: two scores and the steps of each', () => {
  assert.equal(callsOf(shortParts('gauss-legendre', 50)), 104);
  assert.equal(callsOf(shortParts('trapezoid', 50)), 100);
  assert.equal(callsOf(shortParts('trapezoid', 3)), 9);
});
