/**
 * Admission: how much work runs at once, what waits for it, and what is refused (docs/overload.md). Its concepts:
 *
 * - held: images of admitted requests, from admission to answer; at most MAX_IN_FLIGHT.
 * - busy: those being decoded or predicted; at most the concurrency limit, which follows the measured service time.
 * - Fair queue: requests without room wait, in deficit round robin between tenants.
 * - Eviction: when the queue is full, the tenant with most of it loses its newest request to another tenant.
 * - Early refusal: 429 with Retry-After when the queue is full, or the wait is longer than the time left.
 * - Source limits: a request that fetches holds no image; it is bounded by source host and tenant.
 * - Spare work: batches of explanations. They begin while no prediction runs, and take a small part of the time.
 * - Back-off: a full backend lowers the limit.
 */
import type { RequestContext } from '../domain/request.ts';
import { abortError, GatewayError } from '../errors.ts';
import { createConcurrencyLimit } from './concurrency-limit.ts';
import { FairQueue, type Queued } from './fair-queue.ts';
import { SourceLimits } from './source-limits.ts';
import { SpareLine } from './spare-line.ts';

/** Images of one request that are busy at once. */
const MAX_AT_ONCE = 8;
const MAX_RETRY_AFTER_S = 30;
/** Spare work that has waited so long for a moment without predictions may begin beside some, … */
const SPARE_PATIENCE_MS = 500;
/** … while all work takes at most this part of the limit. */
const SPARE_PART = 4;
/** Spare work that predictions come beside rests after each batch, this many times as long as the batch took: 5 % of the time is for it. */
const SPARE_REST = 19;
/** The longest rest: work that takes long still ends before its deadline. */
const MAX_REST_MS = 1000;

/** `maxInFlight`: images held, where a larger request runs alone. `maxQueue`: requests waiting. */
export type AdmissionOptions = { readonly maxInFlight: number; readonly maxQueue: number };

type Entry = Queued & {
  readonly admit: (atOnce: number) => void;
  readonly refuse: (error: GatewayError) => void;
};

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #limit;
  readonly #sources;
  readonly #queue = new FairQueue<Entry>();
  /** Requests that passed `whileFetching`: a full queue does not refuse them any more. */
  readonly #accepted = new WeakSet<RequestContext>();
  readonly #spare = new SpareLine();
  #held = 0;
  #busy = 0;
  #spareBusy = 0;
  #entered = 0;
  /** `#entered` at the end of the latest spare work. */
  #enteredBefore = 0;
  #admitted = 0;
  #fetching = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#limit = createConcurrencyLimit(options.maxInFlight);
    this.#sources = new SourceLimits(options.maxInFlight + options.maxQueue);
  }

  /** Throws `overloaded` when a request of one image would be refused now. For use before its body is read. */
  check(context: RequestContext): void {
    const request = { tenant: context.tenant, images: 1 };
    if (!this.#fits(request)) this.#requirePlace(request, context);
  }

  /**
   * Runs `fetch`, which waits for the hosts. Meanwhile the request counts against MAX_QUEUE; all that fetch take half of
   * the queue at most. Throws `overloaded` at once when there is no place. The signal of `fetch` aborts with `overloaded`
   * when the request loses its place to another one.
   */
  async whileFetching<T>(
    context: RequestContext,
    hosts: ReadonlySet<string>,
    fetch: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    this.check(context);
    using place = this.#sources.enter(hosts, context.tenant, context.signal);
    this.#accepted.add(context);
    this.#fetching += 1;
    return await fetch(place.signal).finally(() => {
      this.#fetching -= 1;
    });
  }

  /**
   * Runs `work` once there is room for the request's images; it may work on `atOnce` of them at a time. Throws `overloaded`
   * with Retry-After when the queue is full or the wait is longer than the time left. An abort leaves the queue.
   */
  async admit<T>(context: RequestContext, images: number, work: (atOnce: number) => Promise<T>): Promise<T> {
    this.#entered += 1;
    const atOnce = await this.#enter({ tenant: context.tenant, images }, context);
    const startMs = performance.now();
    const busyAtStart = this.#busy;
    let isSample = true;
    try {
      return await work(atOnce);
    } catch (thrown) {
      // Failures say nothing of the service time, except those that took the whole time of the request.
      isSample = thrown instanceof GatewayError && thrown.kind === 'model_timeout';
      throw thrown;
    } finally {
      const nowMs = performance.now();
      const serviceMs = (nowMs - startMs) / Math.ceil(images / atOnce);
      if (isSample) this.#limit.observe({ serviceMs, busy: Math.max(busyAtStart, this.#busy), own: atOnce }, nowMs);
      this.#leave(images, atOnce);
    }
  }

  /**
   * Runs work that predictions go before. It begins while no prediction is queued or busy; after a while also where all work takes at
   * most a quarter of the limit. While predictions come, one such work runs at a time, and all rest after it. It takes half of the room
   * at most, so that predictions have some beside it. Its service time is no sample.
   */
  async admitSpare<T>(context: RequestContext, rows: number, work: () => Promise<T>): Promise<T> {
    if (context.signal.aborted) throw abortError(context.signal);
    const images = Math.min(rows, Math.max(1, Math.floor(this.#options.maxInFlight / 2)));
    let busy = 0;
    const take = () => {
      busy = this.#spareAtOnce(images);
      this.#take(images, busy);
      this.#spareBusy += busy;
    };
    if (this.#spare.size === 0 && this.#hasSpareRoom(images, 0)) take();
    else await context.time('queue', () => this.#spare.wait(images, take, context.signal));
    const startMs = performance.now();
    try {
      return await work();
    } finally {
      this.#spareBusy -= busy;
      this.#restAfter(performance.now() - startMs);
      this.#leave(images, busy);
    }
  }

  /** The backend is full: lowers the limit. */
  backOff(): void {
    this.#limit.backOff(performance.now());
  }

  /** Median milliseconds of decoding and prediction of one image; 0 while unknown. */
  get serviceMs(): number {
    return this.#limit.serviceMs;
  }

  /** Requests that are fetching or admitted. */
  get inFlight(): number {
    return this.#fetching + this.#admitted;
  }

  /** Requests that have asked for room so far, without spare work. */
  get entered(): number {
    return this.#entered;
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** Whether requests wait, or more than half of the concurrency limit is in use: there is nothing to spare. */
  get isBusy(): boolean {
    return this.#queue.size > 0 || 2 * this.#busy > this.#limit.current;
  }

  /** The concurrency limit, in images. */
  get limit(): number {
    return this.#limit.current;
  }

  #fits({ images }: Queued): boolean {
    return this.#queue.size === 0 && this.#hasRoom(images);
  }

  #hasRoom(images: number, atOnce = this.#atOnce(images)): boolean {
    const isHoldable = this.#held === 0 || this.#held + images <= this.#options.maxInFlight;
    return isHoldable && this.#busy + atOnce <= this.#limit.current;
  }

  #atOnce(images: number): number {
    return Math.min(images, MAX_AT_ONCE, this.#limit.current);
  }

  /** At most half of the limit: predictions that come meanwhile have room beside it. */
  #spareAtOnce(images: number): number {
    return Math.max(1, Math.min(images, MAX_AT_ONCE, Math.floor(this.#limit.current / 2)));
  }

  #hasSpareRoom(images: number, waitedMs: number): boolean {
    const atOnce = this.#spareAtOnce(images);
    if (this.#spare.isResting || this.#queue.size > 0 || !this.#hasRoom(images, atOnce)) return false;
    if (this.#spareBusy > 0 && this.#entered > this.#enteredBefore) return false;
    const isQuiet = this.#busy === this.#spareBusy;
    const isPatient = waitedMs >= SPARE_PATIENCE_MS;
    return isQuiet || (isPatient && this.#busy + atOnce <= this.#limit.current / SPARE_PART);
  }

  /** Lets spare work rest where predictions have come since the latest one. */
  #restAfter(workMs: number): void {
    const hasMet = this.#entered > this.#enteredBefore;
    this.#enteredBefore = this.#entered;
    if (hasMet) this.#spare.rest(Math.min(MAX_REST_MS, SPARE_REST * workMs), () => this.#advanceSpare());
  }

  #advanceSpare(): void {
    this.#spare.advance((images, waitedMs) => this.#hasSpareRoom(images, waitedMs));
  }

  #take(images: number, atOnce = this.#atOnce(images)): number {
    this.#held += images;
    this.#busy += atOnce;
    this.#admitted += 1;
    return atOnce;
  }

  #leave(images: number, atOnce: number): void {
    this.#held -= images;
    this.#busy -= atOnce;
    this.#admitted -= 1;
    this.#admitQueued();
    this.#advanceSpare();
  }

  async #enter(request: Queued, context: RequestContext): Promise<number> {
    if (context.signal.aborted) throw abortError(context.signal);
    if (this.#fits(request)) return this.#take(request.images);
    this.#requirePlace(request, context);
    return context.time('queue', () => this.#wait(request, context));
  }

  /** Throws `overloaded` for a request that cannot wait in the queue. */
  #requirePlace(request: Queued, context: RequestContext): void {
    const hasPlace = this.#accepted.has(context) || !this.#isFull || this.#queue.toEvict(request) !== undefined;
    const leftMs = context.deadlineMs - performance.now() - this.serviceMs;
    if (!hasPlace || this.#waitMs(this.#queue.ahead(request)) > leftMs) throw this.#overloaded();
  }

  get #isFull(): boolean {
    const { maxQueue } = this.#options;
    return this.#queue.size + Math.min(this.#fetching, Math.floor(maxQueue / 2)) >= maxQueue;
  }

  /** The time in which so many images are worked on. */
  #waitMs(images: number): number {
    return (images * this.serviceMs) / this.limit;
  }

  #overloaded(): GatewayError {
    const queueS = Math.ceil(this.#waitMs(this.#queue.images + 1) / 1000);
    const retryAfterS = Math.min(MAX_RETRY_AFTER_S, Math.max(1, queueS));
    const detail = 'The gateway has as many requests as it can take; try again later.';
    return new GatewayError('overloaded', detail, { retryAfterS });
  }

  #wait(request: Queued, { signal }: RequestContext): Promise<number> {
    if (this.#isFull) this.#queue.toEvict(request)?.refuse(this.#overloaded());
    return new Promise((resolve, reject) => {
      const leave = () => entry.refuse(abortError(signal));
      const entry: Entry = {
        ...request,
        admit: (atOnce) => {
          signal.removeEventListener('abort', leave);
          resolve(atOnce);
        },
        refuse: (error) => {
          signal.removeEventListener('abort', leave);
          this.#queue.remove(entry);
          reject(error);
          this.#admitQueued(); // the next request may be smaller
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#queue.add(entry);
    });
  }

  #admitQueued(): void {
    for (let next = this.#queue.next(); next && this.#hasRoom(next.images); next = this.#queue.next()) {
      this.#queue.take(next);
      next.admit(this.#take(next.images));
    }
  }
}
