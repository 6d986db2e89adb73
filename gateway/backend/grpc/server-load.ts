/** The load of one model server, measured by this gateway's calls: what the balancer compares. */
import { performance } from 'node:perf_hooks';
import { status } from '@grpc/grpc-js';

/** Response times kept for each model; with fewer there is no estimate yet. */
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

/** Statuses whose duration counts as a response time. */
const MEASURED: ReadonlySet<status> = new Set([status.OK, status.CANCELLED, status.DEADLINE_EXCEEDED]);
const REFUSALS: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.RESOURCE_EXHAUSTED]);

/** What the balancer knows of a call. */
export type CallInfo = {
  /** The model of a Predict; unset for a look-up. */
  readonly model?: string | undefined;
  /** The same for all attempts of one call; set for hedged calls. */
  readonly callId?: string | undefined;
};

/** The last response times of one model, and when the last one was measured. */
type Samples = { readonly tookMs: number[]; lastMs: number };

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
      if (REFUSALS.has(code)) this.#refusedMs = nowMs;
      if (model !== undefined && MEASURED.has(code)) this.#addSample(model, nowMs - startMs, nowMs);
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
    const ownMs = this.quickestMs(model);
    if (model === undefined || ownMs === undefined) return 1;
    const times = (ownMs + NOISE_MS) / (quickestMs + NOISE_MS);
    const lastMs = this.#models.get(model)?.lastMs ?? nowMs;
    const isProbeDue = this.#outstanding === 0 && nowMs - lastMs > PROBE_MS;
    return times < TOLERATED_SLOWNESS || isProbeDue ? 1 : times ** 2;
  }

  #addSample(model: string, tookMs: number, nowMs: number): void {
    const samples = this.#models.get(model) ?? { tookMs: [], lastMs: nowMs };
    const [oldest] = this.#models.keys();
    if (oldest !== undefined && this.#models.size >= MAX_MODELS && !this.#models.has(model))
      this.#models.delete(oldest);
    this.#models.set(model, samples);
    samples.tookMs.push(tookMs);
    if (samples.tookMs.length > SAMPLES) samples.tookMs.shift();
    samples.lastMs = nowMs;
  }
}
