/** How well the scores of predictions fit how often they are right. */

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
