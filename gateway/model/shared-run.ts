/** Work that runs once at a time. All callers that wait for it get the same run. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** Runs `work`, which never rejects, with at least `pauseMs` between two runs. */
export class SharedRun {
  readonly #work: () => Promise<void>;
  readonly #pauseMs: number;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #endMs = Number.NEGATIVE_INFINITY;
  isRunning = false;

  constructor(work: () => Promise<void>, pauseMs = 0) {
    this.#work = work;
    this.#pauseMs = pauseMs;
  }

  /** Resolves at the end of a run that starts after this call. All calls before that start share the run. */
  run(): Promise<void> {
    this.#next ??= this.#startNext();
    return this.#next;
  }

  async #startNext(): Promise<void> {
    await this.#running;
    const waitMs = this.#endMs + this.#pauseMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    this.#next = undefined;
    this.isRunning = true;
    this.#running = this.#work().finally(() => {
      this.isRunning = false;
      this.#endMs = performance.now();
    });
    return this.#running;
  }
}
