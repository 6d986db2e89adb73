/** How often a model is polled, and how often all models together. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelVersions } from './versions.ts';

const READY_MS = 2000;
const FIRST_WAIT_MS = 250;
/** A model that may be ready soon: its server cannot be reached yet, or loads it. */
const LONGEST_WAIT_SOON_MS = 1000;
const LONGEST_WAIT_MS = 4000;

/** Polls of all models together in a second, and how many of them may come at once. */
export const POLLS_PER_SECOND = 200;
const BURST = 200;

/** usable, busy: a version can answer, or the server had no time. soon, missing: no version can answer yet, or none is there. */
export type PollResult = 'usable' | 'busy' | 'soon' | 'missing';

/** What the last polls of a model found. */
export function resultOf(versions: Pick<ModelVersions, 'newest' | 'servers' | 'isBeingChecked'>): PollResult {
  if (versions.newest) return 'usable';
  const servers = [...versions.servers.values()];
  const kinds = new Set(servers.map(({ failure }) => failure?.kind));
  if (kinds.has('overloaded') || kinds.has('model_timeout')) return 'busy';
  const states = new Set(servers.flatMap(({ statuses }) => statuses.map(({ state }) => state)));
  const isLoading = states.has('START') || states.has('LOADING') || versions.isBeingChecked();
  return servers.length === 0 || isLoading || kinds.has('model_unavailable') ? 'soon' : 'missing';
}

/** The pauses between the polls of one model: twice as long each time while it has no version that can answer. */
export class Pace {
  #waitMs = FIRST_WAIT_MS;

  /** The pause after a poll, with jitter of a quarter: models that start together are not polled together. */
  pauseMs(result: PollResult): number {
    return this.#meanMs(result) * (0.75 + Math.random() / 2);
  }

  #meanMs(result: PollResult): number {
    if (result === 'usable') this.#waitMs = FIRST_WAIT_MS;
    if (result === 'usable' || result === 'busy') return READY_MS;
    const waitMs = Math.min(this.#waitMs, result === 'soon' ? LONGEST_WAIT_SOON_MS : LONGEST_WAIT_MS);
    this.#waitMs = 2 * waitMs;
    return waitMs;
  }
}

/** Waits for the turn of a poll. Ends early when the signal is aborted. */
export type Turn = (signal: AbortSignal) => Promise<void>;

/** Gives turns in the order of the calls, at most POLLS_PER_SECOND on average (the virtual scheduling of GCRA). */
export function createTurns(): Turn {
  const everyMs = 1000 / POLLS_PER_SECOND;
  let nextMs = Number.NEGATIVE_INFINITY;
  return async (signal) => {
    const nowMs = performance.now();
    nextMs = Math.max(nextMs, nowMs - BURST * everyMs) + everyMs;
    // A sleep fails only on abort.
    if (nextMs > nowMs) await sleep(nextMs - nowMs, undefined, { signal }).catch(() => undefined);
  };
}
