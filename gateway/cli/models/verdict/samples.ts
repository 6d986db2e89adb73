/** Samples of metrics, as Prometheus has them. */

export type Sample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

/** What a verdict reads. docs/metrics.md describes them. */
export const METRICS = {
  requests: 'tensorgate_version_requests_total',
  seconds: 'tensorgate_version_predict_seconds',
  comparisons: 'tensorgate_comparisons_total',
  distances: 'tensorgate_comparison_distance',
} as const;

/** The series that a verdict needs, with the labels by which it tells them apart. */
export const SERIES = {
  [METRICS.requests]: ['version', 'role', 'outcome'],
  [`${METRICS.seconds}_bucket`]: ['version', 'role', 'le'],
  [`${METRICS.seconds}_sum`]: ['version', 'role'],
  [METRICS.comparisons]: ['version', 'against', 'result'],
  [`${METRICS.distances}_sum`]: ['version', 'against'],
  [`${METRICS.distances}_count`]: ['version', 'against'],
} as const;
