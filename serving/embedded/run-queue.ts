/** The queue of a session: one request per run, or several requests in one run (dynamic batching). */

import { isBatchable, joinFeeds, keyOf, rowsOf, splitOutputs, type Tensors } from './batch.ts';
import type { BatchingParameters } from './batching-parameters.ts';
import type { Session } from './session.ts';
import type { Cancelled, Outputs } from './session-worker.ts';
import { StatusError } from './status.ts';

/**
 * Runs that the session has at once: one computes, and the next one is in its thread already, so it does not wait for this
 * thread, which is busy with other requests. A batch is not sent ahead: it may still grow.
 */
const MAX_RUNS = 2;

export type Run = Tensors & {
  /** Ends the wait for the answer. A run that computes already is not interrupted. */
  readonly signal: AbortSignal;
};

type Task = Run & {
  /** undefined if the signature cannot be batched. */
  readonly batching: BatchingParameters | undefined;
  /** Length of the first axis. 1 if the signature cannot be batched. */
  readonly rows: number;
  /** Tasks with the same key can share a run. */
  readonly key: string;
  readonly enqueuedMs: number;
  readonly cancelled: Cancelled;
  readonly result: PromiseWithResolvers<Outputs>;
};

export class RunQueue {
  readonly #session: Session;
  readonly #batching: ReadonlyMap<string, BatchingParameters>;
  readonly #tasks: Task[] = [];
  /** Runs that the session has. */
  #runs = 0;
  #timer: NodeJS.Timeout | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(session: Session, batching: BatchingParameters | undefined) {
    this.#session = session;
    const batchable = [...session.signatures].filter(([, signature]) => isBatchable(signature));
    this.#batching = new Map(batching && batchable.map(([name]) => [name, batching]));
  }

  /**
   * Queues a request and runs it. The feeds must fit the signature. Their memory moves to the session's thread: the
   * caller must not read it again.
   * @throws StatusError DEADLINE_EXCEEDED if the signal aborts; errors of Session.run; with batching also TF-Serving's
   *   INVALID_ARGUMENT if the first axis is too long or differs between inputs
   */
  async run(run: Run): Promise<Outputs> {
    const batching = this.#batching.get(run.signature);
    const task: Task = {
      ...run,
      batching,
      rows: batching ? rowsOf(run.feeds, batching.maxBatchSize) : 1,
      key: keyOf(run),
      enqueuedMs: performance.now(),
      cancelled: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
      result: Promise.withResolvers(),
    };
    const cancel = () => this.#cancel(task);
    run.signal.addEventListener('abort', cancel, { once: true });
    this.#tasks.push(task);
    this.#startNext();
    return task.result.promise.finally(() => run.signal.removeEventListener('abort', cancel));
  }

  /** Resolves when no request is running or queued. */
  async idle(): Promise<void> {
    if (this.#runs === 0 && this.#tasks.length === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  #cancel(task: Task): void {
    const at = this.#tasks.indexOf(task);
    if (at >= 0) this.#tasks.splice(at, 1);
    Atomics.store(task.cancelled, 0, 1);
    task.result.reject(new StatusError('DEADLINE_EXCEEDED', 'Timed out waiting for notification'));
    this.#startNext();
  }

  /** Starts the next run if the session has room for it and the batch is full or its timeout has passed. */
  #startNext(): void {
    clearTimeout(this.#timer);
    const [head] = this.#tasks;
    if (head === undefined) {
      if (this.#runs > 0) return;
      this.#idle?.resolve();
      this.#idle = undefined;
      return;
    }
    if (this.#runs >= (head.batching ? 1 : MAX_RUNS)) return;
    const batch = this.#batchFor(head);
    const waitMs = this.#waitMs(head, batch);
    if (waitMs > 0) {
      this.#timer = setTimeout(() => this.#startNext(), waitMs);
      return;
    }
    for (const task of batch) this.#tasks.splice(this.#tasks.indexOf(task), 1);
    this.#runs++;
    void this.#execute(head, batch);
  }

  /** The first task and the later ones that can share its run, up to maxBatchSize rows. */
  #batchFor(head: Task): readonly Task[] {
    if (head.batching === undefined) return [head];
    let room = head.batching.maxBatchSize;
    return this.#tasks.filter((task) => {
      const fits = task.key === head.key && task.rows <= room;
      if (fits) room -= task.rows;
      return fits;
    });
  }

  #waitMs(head: Task, batch: readonly Task[]): number {
    if (head.batching === undefined) return 0;
    const rows = batch.reduce((total, task) => total + task.rows, 0);
    const full = rows >= head.batching.maxBatchSize || batch.length < this.#tasks.length;
    return full ? 0 : head.enqueuedMs + head.batching.timeoutMs - performance.now();
  }

  async #execute({ signature, fetches }: Task, batch: readonly Task[]): Promise<void> {
    try {
      const cancelled = batch.map((task) => task.cancelled);
      const outputs = await this.#session.run({ signature, feeds: joinFeeds(batch), fetches, cancelled });
      const results = splitOutputs(
        outputs,
        batch.map(({ rows }) => rows),
      );
      for (const [at, task] of batch.entries()) task.result.resolve(results[at] as Outputs);
    } catch (error) {
      for (const task of batch) task.result.reject(error);
    }
    this.#runs--;
    this.#startNext();
  }
}
