/** Signals that abort with another one. */

/**
 * A controller whose signal also aborts with `outer`, until it is disposed of. In place of AbortSignal.any, whose weak
 * references keep the memory of every request until the next full garbage collection.
 */
export class LinkedController extends AbortController implements Disposable {
  readonly #outer: AbortSignal;
  readonly #follow = () => this.abort(this.#outer.reason);

  constructor(outer: AbortSignal) {
    super();
    this.#outer = outer;
    if (outer.aborted) this.#follow();
    else outer.addEventListener('abort', this.#follow, { once: true });
  }

  [Symbol.dispose](): void {
    this.#outer.removeEventListener('abort', this.#follow);
  }
}
