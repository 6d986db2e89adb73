/** Admission: so much work at once, so much waiting in fair turns, and an early refusal for what would wait in vain. */

import type { RequestContext } from '../domain/request.ts';
import { GatewayError } from '../errors.ts';
import { cutOff } from '../pipeline/cut-off.ts';
import { createLimit, type Limit } from './concurrency-limit.ts';
import { FairQueue, type Waiting } from './fair-queue.ts';
import { createLanes, type Lanes } from './lanes.ts';
import { createPace } from './pace.ts';

const MAX_RETRY_AFTER_S = 30;

export type AdmissionOptions = {
  /** Images held at once, whatever the adaptive limit says. */
  readonly maxInFlight: number;
  readonly maxQueue: number;
  /** Images of one request that are worked on at once: the most lanes it takes. */
  readonly imagesAtOnce: number;
};

type Entry = Waiting & { readonly start: () => void; readonly refuse: (error: GatewayError) => void };

/** Work and its queue, both bounded. A request takes a lane for each image that it works on at once. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #limit: Limit;
  readonly #lanes: Lanes;
  readonly #queue = new FairQueue<Entry>();
  readonly #pace = createPace();
  /** The lanes of a request that have an image to work on still. */
  readonly #working = new WeakMap<RequestContext, number>();
  #inFlight = 0;

  constructor(options: AdmissionOptions) {
    const limit = createLimit(options.maxInFlight);
    this.#options = options;
    this.#limit = limit;
    this.#lanes = createLanes({
      maxHeld: options.maxInFlight,
      maxBusy: () => limit.current,
      onFree: () => this.#letIn(),
    });
  }

  /**
   * Runs `work` on the request's images when there is room, in fair turns between tenants. Throws `overloaded`, with the
   * seconds that the queue needs: at once where the queue is full or the request could not end in its time. Leaves the
   * queue on abort. Who finds room is never refused, so that there is always work to measure by.
   */
  async admit<T>(context: RequestContext, images: number, work: () => Promise<T>): Promise<T> {
    const { imagesAtOnce, maxInFlight } = this.#options;
    const newcomer = { tenant: context.tenant, lanes: Math.min(images, imagesAtOnce, maxInFlight) };
    await this.#enter(newcomer, context);
    this.#working.set(context, newcomer.lanes);
    this.#inFlight += 1;
    const busyAtStart = this.#lanes.busy;
    let isSample = true;
    try {
      return await work();
    } catch (thrown) {
      // Of what failed, only what took its whole time is a measurement.
      isSample = thrown instanceof GatewayError && thrown.kind === 'model_timeout';
      throw thrown;
    } finally {
      if (isSample) this.#learn(context, images, Math.max(busyAtStart, this.#lanes.busy));
      this.#inFlight -= 1;
      this.#pace.done(newcomer.lanes, this.#queue.size > 0, performance.now());
      this.#lanes.give(newcomer.lanes, newcomer.lanes - (this.#working.get(context) ?? 0));
    }
  }

  /** Throws what a request of one image would be refused with right now: asked before its body is read. */
  check({ tenant, deadlineMs }: RequestContext): void {
    const newcomer = { tenant, lanes: 1 };
    if (!this.#hasRoom(newcomer)) this.#judge(newcomer, deadlineMs);
  }

  /** Lends a lane of an admitted request to others while `work` waits for somebody else. */
  lend<T>({ signal }: RequestContext, work: () => Promise<T>): Promise<T> {
    return this.#lanes.lend(signal, work);
  }

  /**
   * One of an admitted request's images at once is done, and there is no next one: its lane is for others, of the same
   * request above all. The last lane stays, for what comes after the images.
   */
  rest(context: RequestContext): void {
    const working = this.#working.get(context) ?? 0;
    if (working <= 1) return;
    this.#working.set(context, working - 1);
    this.#lanes.rest();
  }

  /** The backend has no room: less at once from now on. */
  backOff(): void {
    this.#limit.backOff(performance.now());
  }

  /** The milliseconds that a request usually takes in our own stages and the backend; 0 before the first. */
  get serviceMs(): number {
    return this.#limit.serviceMs;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** The adaptive limit of lanes at work. */
  get limit(): number {
    return this.#limit.current;
  }

  #hasRoom({ lanes }: Waiting): boolean {
    return this.#queue.size === 0 && this.#lanes.fits(lanes);
  }

  /** Who waits for a lane it has lent was let in, but waits as the others do. */
  get #isFull(): boolean {
    return this.#queue.size + this.#lanes.waiting >= this.#options.maxQueue;
  }

  async #enter(newcomer: Waiting, { signal, deadlineMs }: RequestContext): Promise<void> {
    if (signal.aborted) throw cutOff(signal);
    if (this.#hasRoom(newcomer)) {
      this.#lanes.take(newcomer.lanes);
      return;
    }
    this.#judge(newcomer, deadlineMs);
    await this.#wait(newcomer, signal);
  }

  /** Throws where a newcomer without room had better not wait. */
  #judge(newcomer: Waiting, deadlineMs: number): void {
    const queue = this.#queue;
    const nowMs = performance.now();
    const leftMs = deadlineMs - nowMs - this.serviceMs;
    const ahead = this.#lanes.waiting + queue.ahead(newcomer);
    const waitMs = this.#pace.msFor(ahead + 1) + this.#pace.silenceMs(nowMs, this.serviceMs);
    const isFull = this.#isFull && !queue.loser(newcomer);
    if (isFull || waitMs > leftMs) throw this.#overloaded();
  }

  #overloaded(): GatewayError {
    const nowMs = performance.now();
    const drainMs =
      this.#pace.msFor(this.#lanes.waiting + this.#queue.lanes + 1) + this.#pace.silenceMs(nowMs, this.serviceMs);
    const retryAfterS = Math.min(MAX_RETRY_AFTER_S, Math.max(1, Math.ceil(drainMs / 1000)));
    const detail = 'The gateway has as many requests as it can take; try again later.';
    return new GatewayError('overloaded', detail, { retryAfterS });
  }

  #wait(newcomer: Waiting, signal: AbortSignal): Promise<void> {
    const queue = this.#queue;
    if (queue.size === 0) this.#pace.begin(performance.now());
    if (this.#isFull) queue.loser(newcomer)?.refuse(this.#overloaded());
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => entry.refuse(cutOff(signal));
    const entry: Entry = {
      ...newcomer,
      start() {
        signal.removeEventListener('abort', leave);
        resolve();
      },
      refuse: (error) => {
        signal.removeEventListener('abort', leave);
        queue.remove(entry);
        reject(error);
        // It may have been a large one that smaller ones had to wait behind.
        this.#letIn();
      },
    };
    signal.addEventListener('abort', leave, { once: true });
    queue.add(entry);
    return promise;
  }

  #letIn(): void {
    for (let next = this.#queue.next(); next && this.#lanes.fits(next.lanes); next = this.#queue.next()) {
      this.#queue.take();
      this.#lanes.take(next.lanes);
      next.start();
    }
  }

  #learn({ times }: RequestContext, images: number, busy: number): void {
    const own = Math.min(images, this.#options.imagesAtOnce);
    // The decoding of one image lies between the fetches of others: then its time is theirs too.
    if (own > 1 && times.has('fetch')) return;
    const serviceMs = ((times.get('decode') ?? 0) + (times.get('predict') ?? 0)) / Math.ceil(images / own);
    if (serviceMs > 0) this.#limit.observe({ serviceMs, busy, own }, performance.now());
  }
}
