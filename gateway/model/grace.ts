/** The time that a model stays ready without a version that can answer. */
import { performance } from 'node:perf_hooks';

/**
 * A ready model stays ready until this time has passed, and at least so many polls have failed. Otherwise a restart of the
 * model server, or one failed poll, would take every gateway out of the load balancer at once.
 */
const GRACE_MS = 5000;
const GRACE_POLLS = 2;

export class Grace {
  #sinceMs: number | undefined;
  #polls = 0;

  /** A version can answer. */
  end(): void {
    this.#sinceMs = undefined;
    this.#polls = 0;
  }

  /** A poll found no version that can answer. Returns how many in a row. */
  count(): number {
    this.#sinceMs ??= performance.now();
    this.#polls += 1;
    return this.#polls;
  }

  get isOver(): boolean {
    return this.#polls >= GRACE_POLLS && performance.now() - (this.#sinceMs ?? 0) >= GRACE_MS;
  }
}
