/** How many times slower one version is than another. */
import type { Latency } from './latency.ts';
import { CONFIDENCE, type Measured, measuredOf, standardized } from './measured.ts';
import { normalQuantile } from './normal.ts';

/**
 * The ratio of two mean latencies. Its logarithm is taken as normal, with the variance of the delta method. Means are compared because a
 * histogram knows them exactly, and its quantiles only by the bounds of buckets. Undefined where one has fewer than two times, or where
 * all are 0.
 */
export function measureRatio(
  one: Latency,
  other: Latency,
  bound: number,
  confidence = CONFIDENCE,
): Measured | undefined {
  if (one.count < 2 || other.count < 2 || !(one.mean > 0 && other.mean > 0)) return undefined;
  const logarithm = Math.log(one.mean / other.mean);
  const error = Math.sqrt(relativeVariance(one) + relativeVariance(other));
  const half = normalQuantile(confidence) * error;
  const zAt = (supposed: number) => standardized(logarithm - Math.log(supposed), error);
  return measuredOf(Math.exp(logarithm), [Math.exp(logarithm - half), Math.exp(logarithm + half)], zAt, bound);
}

/** Of the mean, in units of the mean. */
function relativeVariance({ count, mean, variance }: Latency): number {
  return variance / count / mean ** 2;
}
