/** What a statistic says of a bound. */
import { normalBeyond } from './normal.ts';

export type Interval = readonly [low: number, high: number];

/** The confidence of intervals, where none is given. */
export const CONFIDENCE = 0.95;

/** A value, how precise it is, and the test of the hypothesis that the true value is the bound. */
export type Measured = {
  readonly value: number;
  readonly interval: Interval;
  /** How many standard errors the value is above the bound. */
  readonly z: number;
  /** The probability of a |z| as large as this one by chance. It is below 0.05 where the interval of 95 % excludes the bound. */
  readonly p: number;
};

/** `zAt`: the z of any bound. */
export function measuredOf(value: number, interval: Interval, zAt: (bound: number) => number, bound: number): Measured {
  const z = zAt(bound);
  return { value, interval, z, p: normalBeyond(z) };
}

/** A distance in standard errors. 0 of a distance of 0, whatever the error. */
export function standardized(distance: number, error: number): number {
  return distance === 0 ? 0 : distance / error;
}
