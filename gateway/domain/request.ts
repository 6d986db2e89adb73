/** A request as every stage sees it: its context, its timed stages and its log. */

/** The stages that are timed, in the order of the line. */
export type Stage = 'fetch' | 'decode' | 'predict';

/** What a stage may log with; pino's shape, so that stages need not know pino. */
export type Log = {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
};

/** The one thing that every stage takes besides its data. */
export type RequestContext = {
  readonly id: string;
  /** Whose request it is, for limits and fair turns: the name of its API key; `anonymous` where there are no keys. */
  readonly tenant: string;
  /** Aborted when the deadline passes (reason: TimeoutError) or the client hangs up (reason: AbortError). */
  readonly signal: AbortSignal;
  /** The end of the request on the monotonic clock, in `performance.now()` milliseconds. */
  readonly deadlineMs: number;
  readonly log: Log;
  /** Milliseconds by stage so far: from the first start to the last end. */
  readonly times: ReadonlyMap<Stage, number>;
  /** Runs a stage and books its time; concurrent runs of one stage count from the first start to the last end. */
  time<T>(stage: Stage, work: () => Promise<T>): Promise<T>;
};
