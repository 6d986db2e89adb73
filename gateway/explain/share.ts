/** The share of explanations: how many requests are explained at once, and the calls that each may cost. */
import { GatewayError } from '../errors.ts';

const MAX_RETRY_AFTER_S = 30;
/** The weight of the latest request in the mean time of requests. */
const WEIGHT = 0.2;

export type ShareOptions = {
  /** Calls of the model for all explanations of one request. */
  readonly maxCalls: number;
  /** Requests that are explained at once. */
  readonly concurrency: number;
};

export class ExplainShare {
  readonly maxCalls: number;
  readonly #concurrency: number;
  #running = 0;
  #usualMs = 1000;

  constructor({ maxCalls, concurrency }: ShareOptions) {
    this.maxCalls = maxCalls;
    this.#concurrency = concurrency;
  }

  get running(): number {
    return this.#running;
  }

  /** Takes a place until it is disposed of. @throws GatewayError overloaded with Retry-After where none is free. */
  enter(): Disposable {
    if (this.#running >= this.#concurrency) {
      const retryAfterS = Math.min(MAX_RETRY_AFTER_S, Math.max(1, Math.ceil(this.#usualMs / 1000)));
      const detail = `explain: ${this.#concurrency} requests are explained already (EXPLAIN_CONCURRENCY); try again later.`;
      throw new GatewayError('overloaded', detail, { retryAfterS });
    }
    this.#running += 1;
    const startedMs = performance.now();
    return {
      [Symbol.dispose]: () => {
        this.#running -= 1;
        this.#usualMs += WEIGHT * (performance.now() - startedMs - this.#usualMs);
      },
    };
  }
}
