/** Statistics of right and wrong predictions. */

/** The 97.5 % quantile of the normal distribution: for intervals of 95 %. */
const Z = 1.959964;

export type Interval = readonly [low: number, high: number];

/**
 * The 95 % confidence interval of a share, by Wilson's score (E. B. Wilson, Probable Inference, 1927). It stays within 0 and 1,
 * and holds for few predictions and shares near 0 and 1 too. `count` is above 0.
 */
export function wilsonInterval(successes: number, count: number): Interval {
  const share = successes / count;
  const weight = Z ** 2 / count;
  const centre = (share + weight / 2) / (1 + weight);
  const half = (Z / (1 + weight)) * Math.sqrt((share * (1 - share)) / count + weight / (4 * count));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** The predictions whose score is in a range. */
export type Bin = {
  readonly from: number;
  readonly to: number;
  count: number;
  correct: number;
  /** The sum of their scores. */
  score: number;
};

const BINS = 10;

/** Ten empty bins of the same width, from 0 to 1. */
export function emptyBins(): Bin[] {
  return Array.from({ length: BINS }, (_, bin) => ({
    from: bin / BINS,
    to: (bin + 1) / BINS,
    count: 0,
    correct: 0,
    score: 0,
  }));
}

/** Adds a prediction to its bin. A score of 1 belongs to the last one. */
export function addToBins(bins: readonly Bin[], score: number, isCorrect: boolean): void {
  const bin = bins[Math.min(Math.floor(score * BINS), BINS - 1)];
  if (!bin) return;
  bin.count += 1;
  bin.correct += Number(isCorrect);
  bin.score += score;
}

/**
 * The expected calibration error: how far the mean score of a bin is from its accuracy, on average over all predictions
 * (Naeini, Cooper and Hauskrecht 2015; with the scores of the best class as in Guo et al. 2017). Undefined without predictions.
 */
export function calibrationError(bins: readonly Bin[]): number | undefined {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return undefined;
  return bins.reduce((sum, { correct, score }) => sum + Math.abs(correct - score), 0) / total;
}
