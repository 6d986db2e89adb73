/**
 * The guard of canaries: a canary beyond one of the bounds of model.yaml loses its share. Each gateway judges by its own requests
 * (docs/shadow-and-guard.md says why, and how Prometheus judges by those of all).
 */
import { isDeepStrictEqual } from 'node:util';
import { decide } from '../domain/evidence/decide.ts';
import type { Evidence, Subject } from '../domain/evidence/findings.ts';
import type { Log } from '../domain/request.ts';
import type { Canary, GuardBounds } from '../domain/traffic.ts';
import type { ModelCard } from '../model/card.ts';
import type { Routed } from '../model/route.ts';
import type { VersionOutcome } from '../pipeline/version-outcome.ts';
import type { Comparison } from './copies.ts';
import { type Counts, TrialWindow } from './trial-window.ts';

/** A canary is judged again and again for days: of intervals of 95 % some would miss the true value within minutes. */
const CONFIDENCE = 0.9999;
/** It is judged so often at most, when requests of it have ended. */
const PERIOD_MS = 1000;
/** Comparisons in a window, by the minimum of requests: more say hardly more, and cost the stable version's time. */
const COMPARISONS = 2;

export type Withdrawal = {
  readonly model: string;
  readonly version: number;
  /** The first bound that it was beyond. */
  readonly reason: Subject;
  /** All of them in words, with the statistics. */
  readonly text: string;
};

export type GuardOptions = {
  readonly log: Log;
  readonly onWithdrawal: (withdrawal: Withdrawal) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
};

/** A canary as model.yaml has it. With another version, share or bound it is a new trial. */
type Trial = {
  card: ModelCard;
  readonly canary: Canary;
  readonly bounds: GuardBounds;
  /** Unknown until its first request. */
  candidate: number | undefined;
  reference: number | undefined;
  window: TrialWindow;
  judgedMs: number;
  withdrawal: Withdrawal | undefined;
};

export class Guard {
  readonly #options: GuardOptions;
  readonly #now: () => number;
  readonly #trials = new Map<string, Trial>();

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Counts a request that a version has answered or failed. */
  count({ routed, outcome, predictMs }: VersionOutcome): void {
    const { card, role, version } = routed;
    const trial = this.#trialOf(card);
    if (!trial || (role !== 'canary' && role !== 'stable')) return;
    this.#know(trial, role === 'canary' ? 'candidate' : 'reference', version);
    const nowMs = this.#now();
    const { candidate, reference } = trial.window.at(nowMs);
    add(role === 'canary' ? candidate : reference, outcome, predictMs);
    if (role === 'canary') this.#judge(trial, nowMs);
  }

  /** Counts what a canary and the stable version said of the same request. */
  compared({ model, version, against, rows }: Comparison): void {
    const trial = this.#trials.get(model);
    if (!trial || trial.candidate !== version || trial.reference !== against) return;
    const nowMs = this.#now();
    const { agreement } = trial.window.at(nowMs);
    for (const { isSame } of rows) {
      agreement.compared += 1;
      if (isSame) agreement.same += 1;
    }
    this.#judge(trial, nowMs);
  }

  /** Whether a canary's answer has to be compared with that of the stable version. */
  needsAgreement({ card }: Pick<Routed, 'card'>): boolean {
    const trial = this.#trialOf(card);
    if (trial?.bounds.minTop1Agreement === undefined || trial.withdrawal) return false;
    const { compared } = trial.window.total(this.#now()).agreement;
    return compared < COMPARISONS * trial.bounds.minRequests;
  }

  /** Why a canary has lost its share. Undefined while it has it. */
  withdrawn(card: ModelCard): Withdrawal | undefined {
    return this.#trialOf(card)?.withdrawal;
  }

  /** Forgets the canaries of models that are gone. */
  setModels(cards: ReadonlyMap<string, ModelCard>): void {
    for (const name of this.#trials.keys()) if (!cards.has(name)) this.#trials.delete(name);
  }

  /** Undefined for a model without a canary or a guard. */
  #trialOf(card: ModelCard): Trial | undefined {
    const { name, traffic, guard } = card;
    const known = this.#trials.get(name);
    if (known?.card === card) return known;
    if (!traffic?.canary || !guard) {
      // The same canary may come back later: that is a new trial.
      this.#trials.delete(name);
      return undefined;
    }
    if (known && isDeepStrictEqual([known.canary, known.bounds], [traffic.canary, guard])) {
      known.card = card;
      return known;
    }
    const trial: Trial = {
      card,
      canary: traffic.canary,
      bounds: guard,
      candidate: undefined,
      reference: undefined,
      window: new TrialWindow(guard.windowMs),
      judgedMs: Number.NEGATIVE_INFINITY,
      withdrawal: undefined,
    };
    this.#trials.set(name, trial);
    return trial;
  }

  /** A label may move to another version, and a newer version may become the stable one: then the counts begin again. */
  #know(trial: Trial, side: 'candidate' | 'reference', version: number): void {
    const before = trial[side];
    trial[side] = version;
    if (before === undefined || before === version) return;
    trial.window = new TrialWindow(trial.bounds.windowMs);
    if (side === 'candidate') trial.withdrawal = undefined;
  }

  #judge(trial: Trial, nowMs: number): void {
    const { candidate: version, reference: other, bounds } = trial;
    const isDue = nowMs - trial.judgedMs >= PERIOD_MS;
    if (trial.withdrawal || !isDue || version === undefined || other === undefined) return;
    trial.judgedMs = nowMs;
    const { candidate, reference, agreement } = trial.window.total(nowMs);
    const evidence: Evidence = {
      candidate: sideOf(version, candidate),
      reference: sideOf(other, reference),
      agreement: { count: agreement.same, total: agreement.compared },
    };
    const { decision, reason: text, findings } = decide(evidence, bounds, CONFIDENCE);
    const beyond = findings.find(({ state }) => state === 'beyond');
    if (decision !== 'abort' || !beyond) return;
    const { name } = trial.card;
    const reason = beyond.subject;
    trial.withdrawal = { model: name, version, reason, text };
    this.#options.log.warn({ model: name, version, reason, detail: text }, 'the canary has lost its share');
    this.#options.onWithdrawal(trial.withdrawal);
  }
}

function add(counts: Counts, outcome: VersionOutcome['outcome'], predictMs: number | undefined): void {
  counts.requests += 1;
  if (outcome === 'error') counts.errors += 1;
  // An error may come at once, or at the deadline: its time is no measure of the version.
  if (outcome === 'error' || predictMs === undefined) return;
  const seconds = predictMs / 1000;
  counts.times += 1;
  counts.seconds += seconds;
  counts.squares += seconds ** 2;
}

function sideOf(version: number, { requests, errors, times, seconds, squares }: Counts): Evidence['candidate'] {
  const mean = seconds / times;
  const variance = Math.max(0, squares - times * mean ** 2) / Math.max(1, times - 1);
  return { version, requests, errors, latency: { count: times, mean, variance, quantile: () => Number.NaN } };
}
