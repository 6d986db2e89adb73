/** How far two distributions are from each other, by their counts in the same buckets. 0 for the same shares. */

/** A share of 0 has no logarithm. PSI takes this one instead. */
const LEAST_SHARE = 1e-4;

/** Throws RangeError for counts of different length, or that are all 0. */
type Distance = (baseline: readonly number[], now: readonly number[]) => number;

/** The population stability index: the sum of (p - q) ln(p / q). Shares below 1e-4 count as 1e-4. */
export const populationStability: Distance = (baseline, now) => {
  const [p, q] = sharesOf(baseline, now).map((shares) => shares.map((share) => Math.max(share, LEAST_SHARE)));
  return sumOver(p, q, (one, other) => (one - other) * Math.log(one / other));
};

/**
 * The Jensen-Shannon divergence in bits, from 0 to 1 (J. Lin, Divergence measures based on the Shannon entropy, 1991): the mean of
 * what both distributions diverge from their mean.
 */
export const jensenShannon: Distance = (baseline, now) => {
  const [p, q] = sharesOf(baseline, now);
  return sumOver(p, q, (one, other) => {
    const mean = (one + other) / 2;
    return (information(one, mean) + information(other, mean)) / 2;
  });
};

/** The largest difference of the shares of a bucket, from 0 to 1: the L-infinity (Chebyshev) distance. */
export const lInfinity: Distance = (baseline, now) => {
  const [p, q] = sharesOf(baseline, now);
  return Math.max(...(p ?? []).map((one, index) => Math.abs(one - (q?.[index] ?? 0))));
};

/** 0 log 0 is 0. */
function information(share: number, mean: number): number {
  return share === 0 ? 0 : share * Math.log2(share / mean);
}

function sumOver(
  p: readonly number[] = [],
  q: readonly number[] = [],
  term: (one: number, other: number) => number,
): number {
  return p.reduce((sum, one, index) => sum + term(one, q[index] ?? 0), 0);
}

function sharesOf(...both: readonly [readonly number[], readonly number[]]): readonly (readonly number[])[] {
  const [one, other] = both;
  if (one.length !== other.length) throw new RangeError(`${one.length} and ${other.length} buckets`);
  return both.map((counts) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) throw new RangeError('the counts are all 0');
    return counts.map((count) => count / total);
  });
}
