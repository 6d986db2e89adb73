/**
 * How much work at once: a limit that follows the latencies, so that nobody has to find the right number.
 *
 * The algorithm is the gradient controller of Envoy's adaptive concurrency filter. The baseline is the service time
 * while hardly anything else runs; every window of samples then moves the limit by
 * `gradient = baseline * (1 + BUFFER) / measured` and adds `sqrt(limit)` of headroom to try more. Where latency stays
 * flat (a backend with room) the limit grows to its bound; where it rises with the load (our own CPU) it settles where
 * another request would only make the others slower. docs/overload.md says why this one.
 */

/** So little at once that the latency is that of the work alone; the limit never goes below it. */
const FEW = 3;
/** How much slower than the baseline still counts as no queueing: noise, and what a little sharing costs. */
const BUFFER = 0.25;
const WINDOW_MS = 100;
const WINDOW_SAMPLES = 10;
const BASELINE_SAMPLES = 15;
/** A limit that holds work back needs a baseline no older than this. */
const BASELINE_AGE_MS = 60_000;
/** Small enough that a limit which only falls gets down to FEW, where a backend that has become slower is learnt anew. */
const LEAST_GRADIENT = 0.4;
const MOST_GRADIENT = 2;
const BACK_OFF = 0.9;

export type Sample = {
  /** Time in our own stages and the backend, without that spent waiting for an image's origin or in our queue. */
  readonly serviceMs: number;
  /** How much ran at once, the sample's own work included, at the busier of its two ends. */
  readonly busy: number;
  /** How much of `busy` was the sample's own. */
  readonly own: number;
};

export type Limit = {
  /** A whole number from 1 to the bound. */
  readonly current: number;
  /** The service time to expect; 0 before the first samples. */
  readonly serviceMs: number;
  /** Takes the sample of one finished piece of work, at `nowMs` of the monotonic clock. */
  observe(sample: Sample, nowMs: number): void;
  /** The backend said that it has no room: the limit is cut by a tenth, once a window at most (AIMD). */
  backOff(nowMs: number): void;
};

/** Makes a limit that starts at `max`, as long as nothing is known, and never leaves 1 to `max`. */
export function createLimit(max: number): Limit {
  const least = Math.min(FEW, max);
  let limit = max;
  let measuring = false;
  let baselineMs = 0;
  let baselineAtMs = 0;
  let serviceMs = 0;
  let backedOffMs = Number.NEGATIVE_INFINITY;
  let quiet: number[] = [];
  let loaded: number[] = [];
  let windowStartMs = 0;
  let wasUsed = false;
  let wasReached = false;

  function learnBaseline(sampleMs: number, nowMs: number): void {
    if (quiet.push(sampleMs) < BASELINE_SAMPLES) return;
    // With the first thing known it starts small and grows: about a second to the bound, where nothing speaks against it.
    if (baselineMs === 0) limit = least;
    baselineMs = serviceMs = median(quiet);
    baselineAtMs = nowMs;
    quiet = [];
    measuring = false;
  }

  /** Only while the limit holds work back: measuring costs throughput, and is done by letting only a few run. */
  function needsBaseline(nowMs: number): boolean {
    return baselineMs === 0 || (wasReached && limit < max && nowMs - baselineAtMs > BASELINE_AGE_MS);
  }

  function closeWindow(nowMs: number): void {
    serviceMs = median(loaded);
    measuring = needsBaseline(nowMs);
    if (!measuring) {
      const gradient = clamp((baselineMs * (1 + BUFFER)) / serviceMs, LEAST_GRADIENT, MOST_GRADIENT);
      const next = clamp(limit * gradient + Math.sqrt(limit), least, max);
      limit = wasUsed ? next : Math.min(limit, next);
    }
    loaded = [];
    wasUsed = wasReached = false;
  }

  return {
    get current() {
      return measuring ? least : Math.floor(limit);
    },
    get serviceMs() {
      return serviceMs;
    },
    observe(sample, nowMs) {
      if (sample.busy <= Math.max(least, sample.own)) learnBaseline(sample.serviceMs, nowMs);
      const isHalf = sample.busy >= limit / 2;
      if (measuring || (sample.busy <= least && !isHalf)) return;
      // Less than half of the limit at work can say that it is too high, but not that it is too low.
      wasUsed ||= isHalf;
      if (loaded.length === 0) windowStartMs = nowMs;
      loaded.push(sample.serviceMs);
      wasReached ||= sample.busy >= Math.floor(limit);
      if (loaded.length >= WINDOW_SAMPLES && nowMs - windowStartMs >= WINDOW_MS) closeWindow(nowMs);
    },
    backOff(nowMs) {
      if (nowMs - backedOffMs < WINDOW_MS) return;
      backedOffMs = nowMs;
      limit = Math.max(least, limit * BACK_OFF);
    },
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
}
