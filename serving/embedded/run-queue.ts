/** The runs that wait for a session: one after another, or several requests in one run (dynamic batching). */

import { isBatchable, joinFeeds, keyOf, rowsOf, splitOutputs, type Tensors } from './batch.ts';
import type { BatchingParameters } from './batching-parameters.ts';
import type { Session } from './session.ts';
import type { Outputs } from './session-worker.ts';
import { StatusError } from './status.ts';

export type Run = Tensors & {
  /** Takes the run out of the queue; one that computes already is left to end. */
  readonly signal: AbortSignal;
};

type Task = Run & {
  /** undefined where the signature does not batch. */
  readonly batching: BatchingParameters | undefined;
  /** Length of the first axis; 1 where the signature does not batch. */
  readonly rows: number;
  /** Tasks with the same key can run as one. */
  readonly key: string;
  readonly enqueuedMs: number;
  readonly answer: PromiseWithResolvers<Outputs>;
};

export class RunQueue {
  readonly #session: Session;
  readonly #batching: ReadonlyMap<string, BatchingParameters>;
  readonly #tasks: Task[] = [];
  #running = false;
  #timer: NodeJS.Timeout | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(session: Session, batching: BatchingParameters | undefined) {
    this.#session = session;
    const batchable = [...session.signatures].filter(([, signature]) => isBatchable(signature));
    this.#batching = new Map(batching && batchable.map(([name]) => [name, batching]));
  }

  /**
   * Waits for the session and runs. The feeds must fit the signature; their buffers are given away.
   * @throws StatusError DEADLINE_EXCEEDED when the signal ends the wait; what the session throws; with batching also
   *   TF-Serving's INVALID_ARGUMENT for a first axis that is too long or differs between inputs
   */
  async run(run: Run): Promise<Outputs> {
    const batching = this.#batching.get(run.signature);
    const task: Task = {
      ...run,
      batching,
      rows: batching ? rowsOf(run.feeds, batching.maxBatchSize) : 1,
      key: keyOf(run),
      enqueuedMs: performance.now(),
      answer: Promise.withResolvers(),
    };
    const leave = () => this.#leave(task);
    run.signal.addEventListener('abort', leave, { once: true });
    this.#tasks.push(task);
    this.#pump();
    return task.answer.promise.finally(() => run.signal.removeEventListener('abort', leave));
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    if (!this.#running && this.#tasks.length === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  #leave(task: Task): void {
    const at = this.#tasks.indexOf(task);
    if (at < 0) return;
    this.#tasks.splice(at, 1);
    task.answer.reject(new StatusError('DEADLINE_EXCEEDED', 'Timed out waiting for notification'));
    this.#pump();
  }

  /** Starts the next run if the session is free and the head of the queue has waited for company long enough. */
  #pump(): void {
    if (this.#running) return;
    clearTimeout(this.#timer);
    const [head] = this.#tasks;
    if (head === undefined) {
      this.#idle?.resolve();
      this.#idle = undefined;
      return;
    }
    const batch = this.#batchFor(head);
    const waitMs = this.#waitMs(head, batch);
    if (waitMs > 0) {
      this.#timer = setTimeout(() => this.#pump(), waitMs);
      return;
    }
    for (const task of batch) this.#tasks.splice(this.#tasks.indexOf(task), 1);
    this.#running = true;
    void this.#execute(head, batch);
  }

  /** The head and those behind it that can run with it, as many as fit. */
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
      const outputs = await this.#session.run({ signature, feeds: joinFeeds(batch), fetches });
      const answers = splitOutputs(
        outputs,
        batch.map(({ rows }) => rows),
      );
      for (const [at, task] of batch.entries()) task.answer.resolve(answers[at] as Outputs);
    } catch (error) {
      for (const task of batch) task.answer.reject(error);
    }
    this.#running = false;
    this.#pump();
  }
}
