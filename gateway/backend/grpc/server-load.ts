/** How busy one model server is and how quick, as its own calls tell: what the balancer compares. */
import { performance } from 'node:perf_hooks';
import { status } from '@grpc/grpc-js';

/** Answers that are remembered for each model; fewer say nothing yet. */
const ANSWERS = 8;
/** Models that are remembered: names come from requests. */
const MAX_MODELS = 32;

/** A server that just refused a call is asked last for so long: its neighbours have room sooner. */
const REFUSED_MS = 200;

/** How much of an answer's time is the network's and the scheduler's, and says nothing about the server. */
const NOISE_MS = 10;
/** Up to so many times as slow as the quickest is the same: servers of one kind differ, and they are to share evenly. */
const TOLERATED_SLOWNESS = 4;
/** A server that was left alone because it was slow gets one call this often, to show whether it still is. */
const PROBE_MS = 10_000;

const TAKEN_TIME: ReadonlySet<status> = new Set([status.OK, status.CANCELLED, status.DEADLINE_EXCEEDED]);
const REFUSALS: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.RESOURCE_EXHAUSTED]);

/** What the balancer knows of a call. Look-ups have neither. */
export type CallMark = {
  /** The model that is asked to predict. */
  readonly model?: string | undefined;
  /** The same for all attempts of one call. */
  readonly call?: string | undefined;
};

type Answers = { readonly tookMs: number[]; lastMs: number };

/** The load of one server, kept for as long as the server is in the list. */
export class ServerLoad {
  readonly #models = new Map<string, Answers>();
  readonly #calls = new Set<string>();
  #outstanding = 0;
  #refusedMs = Number.NEGATIVE_INFINITY;

  /** Counts a call as sent; the function that comes back counts it as ended. */
  start({ model, call }: CallMark): (code: status) => void {
    const startMs = performance.now();
    this.#outstanding += 1;
    if (call !== undefined) this.#calls.add(call);
    return (code) => {
      const nowMs = performance.now();
      this.#outstanding -= 1;
      if (call !== undefined) this.#calls.delete(call);
      if (REFUSALS.has(code)) this.#refusedMs = nowMs;
      if (model !== undefined && TAKEN_TIME.has(code)) this.#remember(model, nowMs - startMs, nowMs);
    };
  }

  /**
   * The quickest of the last answers for a model in milliseconds, undefined until there are enough. The quickest, because
   * it says what the server can do whatever else it was sent: large batches among small ones make none slow.
   */
  quickestMs(model: string | undefined): number | undefined {
    const answers = model === undefined ? undefined : this.#models.get(model);
    return answers?.tookMs.length === ANSWERS ? Math.min(...answers.tookMs) : undefined;
  }

  /**
   * What a call more would cost here, to compare servers by: the calls that would be here then, times the square of how
   * much slower than the quickest server this one is. Squared, because servers work on several calls at once: a busy quick
   * one still answers sooner, until its queue makes it as slow. Infinite where the call would better go anywhere else.
   */
  cost({ model, call }: CallMark, quickestMs: number): number {
    const nowMs = performance.now();
    const isElsewhere = call === undefined || !this.#calls.has(call);
    if (!isElsewhere || nowMs - this.#refusedMs < REFUSED_MS) return Number.POSITIVE_INFINITY;
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

  #remember(model: string, tookMs: number, nowMs: number): void {
    const answers = this.#models.get(model) ?? { tookMs: [], lastMs: nowMs };
    const [oldest] = this.#models.keys();
    if (oldest !== undefined && this.#models.size >= MAX_MODELS && !this.#models.has(model))
      this.#models.delete(oldest);
    this.#models.set(model, answers);
    answers.tookMs.push(tookMs);
    if (answers.tookMs.length > ANSWERS) answers.tookMs.shift();
    answers.lastMs = nowMs;
  }
}
