/**
 * The concurrency limit: how many images are busy at once. It follows the service time, as the gradient controller of
 * Envoy's adaptive concurrency filter does. The baseline is the median service time of an image while few are busy. Each
 * window of samples then multiplies the limit by `baseline * (1 + BUFFER) / median` and adds `sqrt(limit)` to probe for
 * more. Where the service time stays flat, the limit grows to its maximum. Where it rises with the load, the limit settles
 * at the point from which one more image only delays the others. docs/overload.md compares other algorithms.
 */

/** So few busy images do not slow each other down. The limit never goes below. */
const FEW = 3;
/** A median this much above the baseline still counts as no queueing. */
const BUFFER = 0.25;
const WINDOW_MS = 100;
const WINDOW_SAMPLES = 10;
const BASELINE_SAMPLES = 15;
/** After this time a limit below its maximum goes back to FEW, to measure the baseline again. */
const BASELINE_AGE_MS = 60_000;
const MIN_GRADIENT = 0.4;
const MAX_GRADIENT = 2;
const BACK_OFF = 0.9;

export type Sample = {
  /** Milliseconds of decoding and prediction of an image. */
  readonly serviceMs: number;
  /** Images busy at the start or the end, whichever is more; `own` of them belong to the sample. */
  readonly busy: number;
  readonly own: number;
};

export type ConcurrencyLimit = {
  /** A whole number from 1 to the maximum. */
  readonly current: number;
  /** The latest median; 0 before the first. */
  readonly serviceMs: number;
  /** Takes a sample at `nowMs` of the monotonic clock. */
  observe(sample: Sample, nowMs: number): void;
  /** Lowers the limit by a tenth, at most once a window: the backend is full. */
  backOff(nowMs: number): void;
};

/** Makes a limit that is `max` until the first measurement, and FEW until the first baseline. */
export function createConcurrencyLimit(max: number): ConcurrencyLimit {
  const least = Math.min(FEW, max);
  let limit = max;
  let baselineMs = 0;
  let baselineAtMs = 0;
  let serviceMs = 0;
  let backedOffMs = Number.NEGATIVE_INFINITY;
  let quiet: number[] = [];
  let loaded: number[] = [];
  let windowStartMs = 0;
  let wasUsed = false;

  function learnBaseline(sampleMs: number, nowMs: number): void {
    if (quiet.push(sampleMs) < BASELINE_SAMPLES) return;
    if (baselineMs === 0) limit = least;
    baselineMs = serviceMs = median(quiet);
    baselineAtMs = nowMs;
    quiet = [];
  }

  function closeWindow(nowMs: number): void {
    serviceMs = median(loaded);
    const isStale = limit < max && nowMs - baselineAtMs > BASELINE_AGE_MS;
    const gradient = clamp((baselineMs * (1 + BUFFER)) / serviceMs, MIN_GRADIENT, MAX_GRADIENT);
    const next = clamp(limit * gradient + Math.sqrt(limit), least, max);
    // A window that used less than half of the limit says nothing for a higher one.
    if (wasUsed || next < limit) limit = next;
    if (baselineMs === 0 || isStale) limit = least;
    loaded = [];
    wasUsed = false;
  }

  return {
    get current() {
      return Math.floor(limit);
    },
    get serviceMs() {
      return serviceMs;
    },
    observe({ serviceMs: sampleMs, busy, own }, nowMs) {
      const isUsed = busy >= limit / 2;
      if (busy <= Math.max(least, own)) learnBaseline(sampleMs, nowMs);
      if (busy <= least && !isUsed) return;
      wasUsed ||= isUsed;
      if (loaded.length === 0) windowStartMs = nowMs;
      loaded.push(sampleMs);
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
