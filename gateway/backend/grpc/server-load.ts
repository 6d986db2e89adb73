/** The load of one model server, measured by this gateway's calls: what the balancer compares. */
import { performance } from 'node:perf_hooks';
import { status } from '@grpc/grpc-js';

/** Response times kept for each model; with fewer there is no estimate yet. As many unanswered calls replace them. */
const SAMPLES = 8;
/** Models to keep response times of. Bounded, because the names come from requests. */
const MAX_MODELS = 32;

/** After a refused call, a server is the last choice for this long. */
const REFUSED_MS = 200;

/** The part of a response time that is due to the network and the scheduler, not to the server. */
const NOISE_MS = 10;
/** Up to this many times slower than the quickest counts as equal: similar servers should share evenly. */
const TOLERATED_SLOWNESS = 4;
/** A slow server without calls gets one this often, to measure whether it is still slow. */
const PROBE_MS = 10_000;

/** Statuses of calls that the gateway ended without an answer. Their duration is only a lower bound. */
const UNANSWERED: ReadonlySet<status> = new Set([status.CANCELLED, status.DEADLINE_EXCEEDED]);
/** NOT_FOUND: the server has just unloaded the version of a Predict. */
const REFUSALS: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.RESOURCE_EXHAUSTED, status.NOT_FOUND]);

/** What the balancer knows of a call. */
export type CallInfo = {
  /** The only servers that the call may go to, by their addresses. Unset: any. */
  readonly only?: ReadonlySet<string> | undefined;
  /** The model of a Predict; unset for a look-up. */
  readonly model?: string | undefined;
  /** The same for all attempts of one call; set for hedged calls. */
  readonly callId?: string | undefined;
};

/** What was measured of one model. */
type Samples = {
  /** The last response times. */
  readonly tookMs: number[];
  /** The calls without an answer since the last answer, and how long the longest of them lasted. */
  unanswered: number;
  longestMs: number;
  /** When the last call ended. */
  lastMs: number;
};

/** The load of one server, kept while the server is in the list. */
export class ServerLoad {
  readonly #models = new Map<string, Samples>();
  readonly #callIds = new Set<string>();
  #outstanding = 0;
  #refusedMs = Number.NEGATIVE_INFINITY;

  /** Counts a call as started. Call the returned function when the call ends. */
  start({ model, callId }: CallInfo): (code: status) => void {
    const startMs = performance.now();
    this.#outstanding += 1;
    if (callId !== undefined) this.#callIds.add(callId);
    return (code) => {
      const nowMs = performance.now();
      this.#outstanding -= 1;
      if (callId !== undefined) this.#callIds.delete(callId);
      const isLookUp = model === undefined;
      if (REFUSALS.has(code) && !(isLookUp && code === status.NOT_FOUND)) this.#refusedMs = nowMs;
      if (!isLookUp) this.#measure(model, code, nowMs - startMs);
    };
  }

  /**
   * The shortest of a model's last response times in milliseconds; undefined until there are enough. The shortest, not
   * the mean: large batches among small ones must not make a server look slow.
   */
  quickestMs(model: string | undefined): number | undefined {
    const samples = model === undefined ? undefined : this.#models.get(model);
    return samples?.tookMs.length === SAMPLES ? Math.min(...samples.tookMs) : undefined;
  }

  /**
   * The cost of one more call on this server: its calls in flight, plus one, times the square of its slowness (its
   * shortest response time divided by that of the quickest server). Squared, because servers work on several calls at
   * once: a busy quick server answers sooner than an idle slow one, until its queue makes it as slow. Infinite right
   * after a refusal, and for a second attempt of a call that is in flight here.
   */
  cost({ model, callId }: CallInfo, quickestMs: number): number {
    const nowMs = performance.now();
    const isHere = callId !== undefined && this.#callIds.has(callId);
    if (isHere || nowMs - this.#refusedMs < REFUSED_MS) return Number.POSITIVE_INFINITY;
    return (this.#outstanding + 1) * this.#slowness(model, quickestMs, nowMs);
  }

  #slowness(model: string | undefined, quickestMs: number, nowMs: number): number {
    const samples = model === undefined ? undefined : this.#models.get(model);
    const ownMs = this.quickestMs(model);
    if (!samples) return 1;
    const isProbeDue = this.#outstanding === 0 && nowMs - samples.lastMs > PROBE_MS;
    if (isProbeDue) return 1;
    // A hung server answers nothing: it is at least as slow as the longest call that a hedge, a client or the deadline
    // cut off. A cut-off call is not slow by itself, so it takes as many in a row as an estimate takes answers.
    const isHung = samples.unanswered >= SAMPLES;
    const tookMs = isHung ? Math.max(ownMs ?? 0, samples.longestMs) : ownMs;
    if (tookMs === undefined) return 1;
    const times = (tookMs + NOISE_MS) / (quickestMs + NOISE_MS);
    return times < (isHung ? 1 : TOLERATED_SLOWNESS) ? 1 : times ** 2;
  }

  #measure(model: string, code: status, tookMs: number): void {
    if (code !== status.OK && !UNANSWERED.has(code)) return;
    const samples = this.#samplesOf(model);
    samples.lastMs = performance.now();
    if (code === status.OK) {
      samples.tookMs.push(tookMs);
      if (samples.tookMs.length > SAMPLES) samples.tookMs.shift();
      samples.unanswered = 0;
      samples.longestMs = 0;
    } else {
      samples.unanswered += 1;
      samples.longestMs = Math.max(samples.longestMs, tookMs);
    }
  }

  #samplesOf(model: string): Samples {
    const known = this.#models.get(model);
    if (known) return known;
    const samples: Samples = { tookMs: [], unanswered: 0, longestMs: 0, lastMs: 0 };
    const [oldest] = this.#models.keys();
    if (oldest !== undefined && this.#models.size >= MAX_MODELS) this.#models.delete(oldest);
    this.#models.set(model, samples);
    return samples;
  }
}
