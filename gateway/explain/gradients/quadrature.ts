/** The rules that an integral over [0, 1] is computed by. */
import type { QuadratureRule } from '../options.ts';

/** Newton's method doubles the digits that are right: from two digits to float64's sixteen, and once more. */
const NEWTON_STEPS = 6;

/** Places from 0 to 1, ascending, and their weights, whose sum is 1. Both are symmetric around the middle. */
export type Quadrature = { readonly places: Float64Array; readonly weights: Float64Array };

/** `steps`: the number of places, 2 or more. */
export function quadratureOf(rule: QuadratureRule, steps: number): Quadrature {
  return rule === 'trapezoid' ? trapezoid(steps) : gaussLegendre(steps);
}

/** Equally spaced places; both ends count half. */
function trapezoid(steps: number): Quadrature {
  const last = steps - 1;
  return {
    places: Float64Array.from({ length: steps }, (_, at) => at / last),
    weights: Float64Array.from({ length: steps }, (_, at) => (at === 0 || at === last ? 0.5 : 1) / last),
  };
}

/** The roots of Legendre's polynomial: Abramowitz and Stegun, Handbook of Mathematical Functions, 25.4.29, moved from [-1, 1] to [0, 1]. */
function gaussLegendre(steps: number): Quadrature {
  const places = new Float64Array(steps);
  const weights = new Float64Array(steps);
  for (let at = 0; at < steps; at += 1) {
    let root = -Math.cos((Math.PI * (at + 0.75)) / (steps + 0.5));
    let slope = 0;
    for (let step = 0; step < NEWTON_STEPS; step += 1) {
      const legendre = legendreAt(root, steps);
      slope = legendre.slope;
      root -= legendre.value / slope;
    }
    places[at] = (1 + root) / 2;
    weights[at] = 1 / ((1 - root ** 2) * slope ** 2);
  }
  return { places, weights };
}

/** Legendre's polynomial of a degree, by its recurrence. */
function legendreAt(x: number, degree: number): { value: number; slope: number } {
  let [before, value] = [1, x];
  for (let k = 1; k < degree; k += 1) [before, value] = [value, ((2 * k + 1) * x * value - k * before) / (k + 1)];
  return { value, slope: (degree * (x * value - before)) / (x ** 2 - 1) };
}
