/** The times of many requests, as samples or as a histogram. */

export type Latency = {
  readonly count: number;
  /** Seconds. NaN for a count of 0, as the quantiles. */
  readonly mean: number;
  /** Of a single time, in seconds². */
  readonly variance: number;
  /** Seconds: 0.99 gives p99. */
  readonly quantile: (share: number) => number;
};

/** A histogram as Prometheus has it. */
export type Histogram = {
  /** The upper bounds of the buckets in seconds, rising and without +Inf. */
  readonly bounds: readonly number[];
  /** How many times are in each bucket and in no lower one; the last is that of +Inf. */
  readonly counts: readonly number[];
  /** Of all times, in seconds. */
  readonly sum: number;
};

/** Times in seconds, in any order. Quantiles are interpolated between samples, as numpy does. */
export function latencyOfSamples(samples: readonly number[]): Latency {
  const sorted = Float64Array.from(samples).sort();
  const count = sorted.length;
  const mean = sorted.reduce((total, one) => total + one, 0) / count;
  const squares = sorted.reduce((total, one) => total + (one - mean) ** 2, 0);
  const quantile = (share: number) => {
    const rank = share * (count - 1);
    const below = sorted[Math.floor(rank)] ?? Number.NaN;
    const above = sorted[Math.ceil(rank)] ?? Number.NaN;
    return below + (above - below) * (rank - Math.floor(rank));
  };
  return { count, mean, variance: squares / Math.max(1, count - 1), quantile };
}

/**
 * The mean is exact. The variance is that of times spread evenly over each bucket: mostly too large, so that an interval is rather too
 * wide. Quantiles are those of PromQL's histogram_quantile.
 */
export function latencyOfHistogram(histogram: Histogram): Latency {
  const { counts, sum } = histogram;
  const count = counts.reduce((total, one) => total + one, 0);
  const mean = sum / count;
  const squares = bucketsOf(histogram).reduce(
    (total, { from, to, times }) => total + times * (((from + to) / 2 - mean) ** 2 + (to - from) ** 2 / 12),
    0,
  );
  return { count, mean, variance: squares / Math.max(1, count - 1), quantile: (share) => quantileOf(histogram, share) };
}

type Bucket = { readonly from: number; readonly to: number; readonly times: number };

/** The times above the last bound are taken as one point: their mean, as the sum of all tells it. */
function bucketsOf({ bounds, counts, sum }: Histogram): readonly Bucket[] {
  const finite = bounds.map((to, index) => ({ from: bounds[index - 1] ?? 0, to, times: counts[index] ?? 0 }));
  const times = counts[bounds.length] ?? 0;
  if (times === 0) return finite;
  const below = finite.reduce((total, bucket) => total + (bucket.times * (bucket.from + bucket.to)) / 2, 0);
  const point = Math.max(bounds.at(-1) ?? 0, (sum - below) / times);
  return [...finite, { from: point, to: point, times }];
}

function quantileOf({ bounds, counts }: Histogram, share: number): number {
  const rank = share * counts.reduce((total, one) => total + one, 0);
  let below = 0;
  for (const [index, to] of bounds.entries()) {
    const times = counts[index] ?? 0;
    const from = bounds[index - 1] ?? 0;
    if (times > 0 && below + times >= rank) return from + ((to - from) * (rank - below)) / times;
    below += times;
  }
  return below + (counts[bounds.length] ?? 0) === 0 ? Number.NaN : (bounds.at(-1) ?? Number.NaN);
}
