/**
 * The integral over a line as short calls of the signature `explain`, so that predictions do not wait long behind one. Places that are
 * symmetric around the middle have equal weights, and the trapezoid rule between two places takes the mean of their slopes: each call
 * between such a pair gives its exact part of the integral.
 */
import type { QuadratureRule } from '../options.ts';
import { quadratureOf } from './quadrature.ts';

/** The scores of the input and of the baseline, which each call computes too. */
const ENDS = 2;

/** One call. The line is from 0 to 1. */
export type Part = {
  readonly start: number;
  readonly end: number;
  readonly steps: number;
  readonly rule: QuadratureRule;
  /** What its attributions are multiplied by in the sum. */
  readonly factor: number;
};

/** The whole line by one call. */
export function wholeLine(rule: QuadratureRule, steps: number): readonly Part[] {
  return [{ start: 0, end: 1, steps, rule, factor: 1 }];
}

/** The whole line by calls of two or three steps. The first one is between both ends. */
export function shortParts(rule: QuadratureRule, steps: number): readonly Part[] {
  const { places, weights } = quadratureOf(rule, steps);
  const pairs = Math.floor(steps / 2);
  const parts: Part[] = [];
  const add = (first: number, ofSteps: number, weight: number) => {
    const [start, end] = [places[first] as number, places[steps - 1 - first] as number];
    parts.push({ start, end, steps: ofSteps, rule: 'trapezoid', factor: weight / (end - start) });
  };
  if (places[0] !== 0) parts.push({ start: 0, end: 1, steps: 2, rule: 'trapezoid', factor: 0 });
  const isOdd = steps % 2 === 1;
  const middle = isOdd ? (weights[pairs] as number) : 0;
  for (let pair = 0; pair < pairs; pair += 1) {
    const extra = pair === pairs - 1 ? middle : 0;
    add(pair, 2, 2 * (weights[pair] as number) - extra);
  }
  // Three steps count the middle half and each end a quarter, which the call of two steps has less.
  if (isOdd) add(pairs - 1, 3, 2 * middle);
  return parts;
}

/** The calls of the model that parts count as. */
export function callsOf(parts: readonly Part[]): number {
  return parts.reduce((calls, { steps }) => calls + steps + ENDS, 0);
}
