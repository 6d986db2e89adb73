/** The functions that convert logits to probabilities. */

/** Softmax. The largest logit is subtracted first, so no exponential overflows. */
export function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const exponentials = logits.map((logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}

/** The logistic function. An exponential that overflows gives 0. */
export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
