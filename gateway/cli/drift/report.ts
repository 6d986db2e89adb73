/** What `tensorgate drift` found: of each version, how far each feature is from its baseline. */
import type { BaselineFeature } from '../../model/baseline.ts';
import { countsOf } from '../../model/buckets.ts';
import type { VersionTally } from './tally.ts';
import { STATISTICS, type Statistic } from './thresholds.ts';

/** drifted: at least one statistic is above its threshold. too few: there are not enough predictions to say. */
export type Verdict = 'quiet' | 'drifted' | 'too few';

export type Measured = {
  readonly statistic: Statistic['name'];
  /** Null without enough predictions. */
  readonly value: number | null;
  readonly threshold: number | null;
  /** Null for a statistic without a threshold. */
  readonly verdict: Verdict | null;
};

export type PeriodReport = { readonly time: string; readonly count: number; readonly value: number | null };

export type FeatureReport = {
  readonly feature: string;
  readonly kind: BaselineFeature['kind'];
  /** Predictions that have it. */
  readonly count: number;
  readonly verdict: Verdict;
  readonly statistics: readonly Measured[];
  readonly buckets: readonly { readonly name: string; readonly baseline: number; readonly now: number }[];
  /** The first statistic by hour; by day where the log has more than 1000 hours. */
  readonly periods: readonly PeriodReport[];
};

export type VersionReport = {
  readonly model: string;
  readonly version: number;
  readonly rows: number;
  readonly from: string;
  readonly to: string;
  readonly baseline: { readonly version: number; readonly rows: number; readonly source: string | null } | null;
  readonly features: readonly FeatureReport[];
  readonly verdict: Verdict | 'no baseline';
};

export type DriftReport = {
  readonly versions: readonly VersionReport[];
  readonly minimum: number;
  readonly unreadableLines: number;
};

/** `minimum`: predictions that a feature needs. A period needs a tenth of it. */
export function versionReport(tally: VersionTally, minimum: number): VersionReport {
  const { model, version, rows, from, to, baseline } = tally;
  const features = tally.counters.map((_, index) => featureReport(tally, index, minimum));
  return {
    model,
    version,
    rows,
    from,
    to,
    baseline: baseline ? { version: baseline.version, rows: baseline.rows, source: baseline.source ?? null } : null,
    features,
    verdict: baseline ? verdictOf(features.map(({ verdict }) => verdict)) : 'no baseline',
  };
}

function featureReport({ counters, timeline, given }: VersionTally, index: number, minimum: number): FeatureReport {
  const { name, feature, buckets } = counters[index] as VersionTally['counters'][number];
  const expected = countsOf(feature);
  const periods = timeline.periods.map(([time, { counts }]) => ({ time, counts: counts[index] ?? [] }));
  const now = expected.map((_, bucket) => sum(periods.map(({ counts }) => counts[bucket] ?? 0)));
  const count = given[index] ?? 0;
  const statistics = STATISTICS[feature.kind].map((one) =>
    measured(one, expected, now, count < minimum || sum(expected) === 0),
  );
  const [first] = STATISTICS[feature.kind];
  return {
    feature: name,
    kind: feature.kind,
    count,
    verdict: verdictOf(statistics.map(({ verdict }) => verdict)),
    statistics,
    buckets: buckets.names.map((bucket, at) => ({ name: bucket, baseline: expected[at] ?? 0, now: now[at] ?? 0 })),
    periods: periods.map(({ time, counts }) => {
      const its = sum(counts);
      const isEnough = its > 0 && its * 10 >= minimum && sum(expected) > 0;
      return { time, count: its, value: isEnough ? first.distance(expected, counts) : null };
    }),
  };
}

function measured(
  { name, threshold, distance }: Statistic,
  expected: readonly number[],
  now: readonly number[],
  areTooFew: boolean,
): Measured {
  const value = areTooFew ? null : distance(expected, now);
  if (threshold === null) return { statistic: name, value, threshold, verdict: null };
  const verdict = value === null ? 'too few' : value > threshold ? 'drifted' : 'quiet';
  return { statistic: name, value, threshold, verdict };
}

/** One that drifted decides; then one that can be told. */
function verdictOf(verdicts: readonly (Verdict | null)[]): Verdict {
  return (['drifted', 'quiet'] as const).find((verdict) => verdicts.includes(verdict)) ?? 'too few';
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
