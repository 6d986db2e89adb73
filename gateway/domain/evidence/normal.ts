/** The standard normal distribution. */

/** Beyond it the rest of the distribution is below what a double can tell from 0. */
const MAX_Z = 8.3;

/** Each halves the range: 2^-60 of it are left. */
const BISECTIONS = 60;

/**
 * The probability of a value below z. The series is that of G. Marsaglia, Evaluating the normal distribution, 2004: its error is below
 * 1e-15.
 */
export function normalBelow(z: number): number {
  if (Number.isNaN(z)) return Number.NaN;
  if (Math.abs(z) > MAX_Z) return z < 0 ? 0 : 1;
  let term = z;
  let sum = z;
  for (let index = 3; sum + term !== sum; index += 2) {
    term *= (z * z) / index;
    sum += term;
  }
  return 0.5 + (sum * Math.exp(-(z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

/** The probability of a value at least as far from 0 as z: the two-sided p value. */
export function normalBeyond(z: number): number {
  return Math.max(0, 2 * normalBelow(-Math.abs(z)));
}

/** The z of an interval with this confidence: 1.96 for 0.95. */
export function normalQuantile(confidence: number): number {
  return bisect((z) => confidence - (1 - normalBeyond(z)), 0, MAX_Z);
}

/** The place between low and high where a falling function passes 0. */
export function bisect(falling: (at: number) => number, low: number, high: number): number {
  let [from, to] = [low, high];
  for (let step = 0; step < BISECTIONS; step += 1) {
    const middle = (from + to) / 2;
    if (falling(middle) > 0) from = middle;
    else to = middle;
  }
  return (from + to) / 2;
}
