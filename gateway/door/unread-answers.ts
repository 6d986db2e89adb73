/** Bounds the answers that their clients have not taken. A client that reads nothing keeps its answer in memory. */
import { GatewayError } from '../errors.ts';
import { ByteBudget } from '../machine/byte-budget.ts';
import type { Answering } from './body-memory.ts';

/** The system takes as much of an answer at once. */
const SMALL_BYTES = 64 * 1024;
/** An answer that has waited longer may be dropped for another one. */
const SLOW_MS = 1000;

type Unread = { readonly sinceMs: number; readonly release: () => void; readonly drop: () => void };

/**
 * Counts an answer of `bytes` until `answering` closes. `drop`: ends its connection or stream. Throws `overloaded` (503, for all
 * clients) where it does not fit.
 */
export type HoldAnswer = (answering: Answering, bytes: number, drop: () => void) => void;

export class UnreadAnswers {
  /** The memory of answers and bodies. Where something does not fit, the oldest answers are dropped. */
  readonly budget: ByteBudget;
  /** In the order in which they were written. */
  readonly #unread = new Set<Unread>();
  readonly #onDrop: () => void;
  #count = 0;

  constructor(maxBytes: number, onDrop: () => void) {
    this.budget = new ByteBudget(maxBytes, () => this.#dropOldest());
    this.#onDrop = onDrop;
  }

  /** Counts an answer that is not written yet. Returns what ends the count. Throws as `hold` does. */
  readonly take = (bytes: number): (() => void) => {
    const share = this.budget.open();
    // One alone may be larger than all may be together.
    if (!share.take(bytes) && this.#count > 0) {
      const detail = 'The memory for answers is full; try again later.';
      throw new GatewayError('overloaded', detail, { isUnavailable: true });
    }
    this.#count += 1;
    let isCounted = true;
    return () => {
      if (isCounted) this.#count -= 1;
      isCounted = false;
      share.release();
    };
  };

  readonly hold: HoldAnswer = (answering, bytes, drop) => {
    if (bytes <= SMALL_BYTES) return;
    const unread = { sinceMs: performance.now(), release: this.take(bytes), drop };
    this.#unread.add(unread);
    answering.once('close', () => this.#leave(unread));
  };

  #leave(unread: Unread): void {
    this.#unread.delete(unread);
    unread.release();
  }

  #dropOldest(): boolean {
    const [oldest] = this.#unread;
    if (!oldest || performance.now() - oldest.sinceMs < SLOW_MS) return false;
    this.#leave(oldest);
    oldest.drop();
    this.#onDrop();
    return true;
  }
}
