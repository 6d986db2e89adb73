/** The energy score of logits: how little a model knows an input. */
import type { ScoreKind } from '../domain/scores.ts';

/**
 * The free energy -log sum exp(logits) (Liu et al., Energy-based Out-of-distribution Detection, 2020). Higher for inputs that are unlike
 * those of training. Labels that do not exclude each other: the sum of the energies of each label (Wang et al., 2021). Undefined for
 * numbers that are no logits: probabilities have lost their energy. `neurons`: the numbers of one row, all finite.
 */
export function energyOf(neurons: readonly number[], gives: ScoreKind): number | undefined {
  if (gives === 'sigmoid-logits') return -neurons.reduce((sum, logit) => sum + logSumExp([0, logit]), 0);
  if (gives !== 'logits') return undefined;
  const [only = 0, ...more] = neurons;
  // The logit of a sigmoid is the difference of the logits of both classes.
  return -logSumExp(more.length > 0 ? neurons : [-only / 2, only / 2]);
}

/** The largest is subtracted first, so no exponential overflows. */
function logSumExp(numbers: readonly number[]): number {
  const largest = numbers.reduce((most, number) => Math.max(most, number), Number.NEGATIVE_INFINITY);
  return largest + Math.log(numbers.reduce((sum, number) => sum + Math.exp(number - largest), 0));
}
