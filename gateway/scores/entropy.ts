/** How undecided the probabilities of classes are. */

/** Shannon's entropy as a share of the most that so many classes can have: 0 where one is certain, 1 where all are equal. */
export function entropyOf(probabilities: readonly number[]): number {
  if (probabilities.length < 2) return 0;
  const nats = probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
  return nats / Math.log(probabilities.length);
}
