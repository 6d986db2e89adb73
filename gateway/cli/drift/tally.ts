/** Counts the features of predictions in the buckets of a baseline, for each model and version. */
import type { Baseline, BaselineFeature } from '../../model/baseline.ts';
import { type Buckets, bucketsOf, cutsOf } from '../../model/buckets.ts';
import type { LoggedPrediction } from '../log/features.ts';
import { Timeline } from './timeline.ts';

type Counter = { readonly name: string; readonly feature: BaselineFeature; readonly buckets: Buckets };

/** The predictions of a version. */
export class VersionTally {
  readonly model: string;
  readonly version: number;
  /** Undefined where the version has none: then its predictions are only counted. */
  readonly baseline: Baseline | undefined;
  readonly counters: readonly Counter[];
  readonly timeline: Timeline;
  rows = 0;
  from = '';
  to = '';
  /** Of each feature, how many predictions had it. */
  readonly given: number[];

  constructor({ model, version }: Pick<LoggedPrediction, 'model' | 'version'>, baseline: Baseline | undefined) {
    this.model = model;
    this.version = version;
    this.baseline = baseline;
    this.counters = Object.entries(baseline?.features ?? {}).map(([name, feature]) => ({
      name,
      feature,
      buckets: bucketsOf(cutsOf(feature)),
    }));
    this.given = this.counters.map(() => 0);
    this.timeline = new Timeline(this.counters.map(({ buckets }) => buckets.names.length));
  }

  add({ time, features }: LoggedPrediction): void {
    this.rows += 1;
    if (this.from === '' || time < this.from) this.from = time;
    if (time > this.to) this.to = time;
    const period = this.timeline.at(time);
    period.rows += 1;
    for (const [index, { name, buckets }] of this.counters.entries()) {
      const value = features.get(name);
      if (value === undefined) continue;
      this.given[index] = (this.given[index] ?? 0) + 1;
      const counts = period.counts[index];
      const bucket = buckets.of(value);
      if (counts) counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
  }
}

/** The tallies of all versions in a log. */
export class Tally {
  readonly #versions = new Map<string, VersionTally>();
  readonly #baselineOf: (model: string, version: number) => Promise<Baseline | undefined>;

  constructor(baselineOf: (model: string, version: number) => Promise<Baseline | undefined>) {
    this.#baselineOf = baselineOf;
  }

  /** The tally of a version. */
  async of({ model, version }: Pick<LoggedPrediction, 'model' | 'version'>): Promise<VersionTally> {
    const key = `${version} ${model}`;
    const known = this.#versions.get(key);
    if (known) return known;
    const tally = new VersionTally({ model, version }, await this.#baselineOf(model, version));
    this.#versions.set(key, tally);
    return tally;
  }

  /** Sorted by model and version. */
  get versions(): readonly VersionTally[] {
    return [...this.#versions.values()].sort(
      (one, other) => Number(one.model > other.model) - Number(one.model < other.model) || one.version - other.version,
    );
  }
}
