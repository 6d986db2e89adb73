/** How many requests a batch has in flight: as many as the gateway answers without a queue. */
import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_LIMIT = 4;
/**
 * Requests that may wait in the gateway: with fewer the limit grows, with more it falls (as TCP Vegas does). On a busy machine the
 * latency varies much without a queue: a part of the limit may seem to wait.
 */
const FEW_WAITING = { requests: 3, part: 1 / 3 };
const MANY_WAITING = { requests: 6, part: 1 / 2 };
/** Pictures differ in size: the latency is an average in which each answer has this weight. */
const WEIGHT = 1 / 16;
const REFUSED_FACTOR = 0.7;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [250, 10_000];

export class Pace {
  readonly #most: number;
  #limit: number;
  #inFlight = 0;
  #averageMs: number | undefined;
  #leastMs = Infinity;
  /** Until requests wait for the first time, each answer lets one more be sent (as TCP's slow start does). */
  #isStarting = true;
  #failures = 0;
  #pausedUntilMs = 0;

  /** `most`: the limit never exceeds it. */
  constructor(most: number) {
    this.#most = most;
    this.#limit = Math.min(FIRST_LIMIT, most);
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  get isFull(): boolean {
    return this.#inFlight >= this.limit;
  }

  /** Resolves when no pause is left. Rejects when the signal is aborted. */
  async pauseOver(signal: AbortSignal): Promise<void> {
    for (let left = this.#left(); left > 0; left = this.#left()) await sleep(left, undefined, { signal });
  }

  sent(): void {
    this.#inFlight += 1;
  }

  /** A request was answered after `ms`. */
  answered(ms: number): void {
    this.#inFlight -= 1;
    this.#failures = 0;
    const before = this.#averageMs ?? ms;
    const averageMs = before + (ms - before) * WEIGHT;
    this.#averageMs = averageMs;
    this.#leastMs = Math.min(this.#leastMs, averageMs);
    const waiting = this.#limit * (1 - this.#leastMs / averageMs);
    const step = this.#isStarting ? 1 : 1 / this.#limit;
    if (waiting < this.#allowed(FEW_WAITING)) this.#limit = Math.min(this.#most, this.#limit + step);
    else this.#isStarting = false;
    if (waiting > this.#allowed(MANY_WAITING)) this.#limit = Math.max(1, this.#limit - 1 / this.#limit);
  }

  /** A request was refused, or nothing answered. All requests wait for `retryAfterMs`, or longer with each failure in a row. */
  refused(retryAfterMs: number | undefined): void {
    this.#inFlight -= 1;
    const nowMs = performance.now();
    // The requests that were sent together are refused together: they count once.
    if (nowMs >= this.#pausedUntilMs) {
      this.#failures += 1;
      this.#isStarting = false;
      this.#limit = Math.max(1, this.#limit * REFUSED_FACTOR);
    }
    const backoffMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failures - 1));
    const pauseMs = retryAfterMs ?? backoffMs * (0.5 + Math.random() / 2);
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + pauseMs);
  }

  #allowed({ requests, part }: { readonly requests: number; readonly part: number }): number {
    return Math.max(requests, this.#limit * part);
  }

  #left(): number {
    return this.#pausedUntilMs - performance.now();
  }
}
