/** Whether attributions add up to what they explain. */
import type { Attributed } from '../domain/explanation.ts';

export type Completeness = {
  /** Of all attributions. */
  readonly sum: number;
  /** What they should add up to: the score less that of the baseline. */
  readonly difference: number;
  /** How far both may be apart. Null for a method whose attributions add up to nothing. */
  readonly tolerance: number | null;
  /** Null without a tolerance. */
  readonly holds: boolean | null;
};

export function completenessOf({ attributions, score, baselineScore, tolerance }: Attributed): Completeness {
  const sum = attributions.values.reduce((total, value) => total + value, 0);
  const difference = score - baselineScore;
  return { sum, difference, tolerance, holds: tolerance === null ? null : Math.abs(sum - difference) <= tolerance };
}
