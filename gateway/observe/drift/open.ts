/** Counts of what models get and predict, for Prometheus to compare with their baselines: docs/drift.md. */
import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../domain/request.ts';
import { type Baseline, BaselineError, readBaseline } from '../../model/baseline.ts';
import { isSameModel } from '../../model/card.ts';
import type { Routed } from '../../model/route.ts';
import type { OnPredicted } from '../../pipeline/predicted.ts';
import type { Features, ShowBucket } from '../metrics/features.ts';
import { VersionCounts } from './version-counts.ts';

/** Versions of a model that are counted. Of older ones the series end. */
const MAX_VERSIONS = 4;

/** Objects that have not changed are the same ones, as a rule. */
function isSame(one: Routed, other: Routed): boolean {
  if (one.card !== other.card && !isSameModel(one.card, other.card)) return false;
  return one.metadata === other.metadata || isDeepStrictEqual(one.metadata, other.metadata);
}

export type DriftOptions = {
  readonly log: Log;
  /** The versions that requests get which name none: their series begin with 0, before their first request. */
  readonly usual: () => Iterable<Routed>;
};

type Known = {
  routed: Routed;
  /** Undefined until the baseline is read. */
  counts: VersionCounts | undefined;
  /** As it was read last; JSON, to see whether the file has changed. */
  baseline: string | undefined;
  problem: string | undefined;
};

/** Counts predictions, and reads the baselines of their versions. Files that have changed are read again at a scrape. */
export class Drift implements Features {
  readonly #options: DriftOptions;
  readonly #known = new Map<string, Map<number, Known>>();

  constructor(options: DriftOptions) {
    this.#options = options;
  }

  /** Predictions of a version whose baseline is being read do not count. */
  readonly onPredicted: OnPredicted = (predicted) => {
    const { routed } = predicted;
    const known = this.#find(routed) ?? this.#add(routed);
    if (!isSame(known.routed, routed)) this.#replace(known, routed);
    // A card with other traffic: the next comparison is quick again.
    else if (known.counts) known.routed = routed;
    known.counts?.count(predicted);
  };

  #find({ card, version }: Routed): Known | undefined {
    return this.#known.get(card.name)?.get(version);
  }

  #add(routed: Routed): Known {
    const { card, version } = routed;
    const known: Known = { routed, counts: undefined, baseline: undefined, problem: undefined };
    const versions = this.#known.get(card.name) ?? new Map<number, Known>();
    this.#known.set(card.name, versions.set(version, known));
    const [oldest] = versions.keys();
    if (versions.size > MAX_VERSIONS && oldest !== undefined) versions.delete(oldest);
    void this.#read(known);
    return known;
  }

  /** model.yaml or the signature has changed. */
  #replace(known: Known, routed: Routed): void {
    known.routed = routed;
    known.counts = undefined;
    void this.#read(known);
  }

  async #read(known: Known): Promise<void> {
    const { routed } = known;
    const baseline = await this.#baselineOf(known);
    const text = JSON.stringify(baseline);
    if (known.routed !== routed || (known.counts && known.baseline === text)) return;
    known.baseline = text;
    known.counts = new VersionCounts(routed, baseline);
  }

  /** A file that cannot be used is told once, and counts as none. */
  async #baselineOf(known: Known): Promise<Baseline | undefined> {
    const { card, version } = known.routed;
    try {
      const baseline = card.folder === '' ? undefined : await readBaseline(card.folder, version);
      known.problem = undefined;
      return baseline;
    } catch (cause) {
      const problem = cause instanceof BaselineError ? cause.message : String(cause);
      if (problem !== known.problem) this.#options.log.warn({ model: card.name, problem }, 'a baseline cannot be used');
      known.problem = problem;
      return undefined;
    }
  }

  /** Finds the versions that are served, and what has become of their baselines. */
  async refresh(): Promise<void> {
    for (const routed of this.#options.usual()) if (!this.#find(routed)) this.#add(routed);
    await Promise.all(this.#all().map((known) => this.#read(known)));
  }

  #all(): Known[] {
    return [...this.#known.values()].flatMap((versions) => [...versions.values()]);
  }

  show(show: ShowBucket): void {
    for (const { routed, counts } of this.#all()) {
      for (const [feature, { buckets, counts: values, baseline }] of counts?.features ?? []) {
        const { kind, names } = buckets;
        const labels = { model: routed.card.name, version: String(routed.version), feature, kind };
        for (const [index, bucket] of names.entries()) {
          show({ ...labels, bucket }, { count: values[index] ?? 0, share: baseline?.[index] });
        }
      }
    }
  }
}
