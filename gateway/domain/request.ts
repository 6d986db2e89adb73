/** A request's context, shared by all stages: its timed stages and its log. */
import type { Span } from './span.ts';
import type { Trace } from './trace.ts';
import type { Sent, TrafficRole } from './traffic.ts';

/** The timed stages, in the order of processing. Only requests that wait are in `queue`. */
export type Stage = 'fetch' | 'queue' | 'decode' | 'predict';

/** The logger of the stages. It has pino's methods, so stages do not import pino. */
export type Log = {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
};

/** What is known of a request: fields of its line in the log. */
export type Notes = {
  readonly model?: string | undefined;
  readonly version?: number | undefined;
  readonly label?: string | undefined;
  /** Why the version answered, where model.yaml has traffic. */
  readonly traffic?: TrafficRole | undefined;
  /** What decoded the pictures: `jpeg`, `sharp`, or `jpeg+sharp` for a batch. */
  readonly decoder?: string | undefined;
};

/** The argument that every stage takes besides its data. */
export type RequestContext = {
  readonly id: string;
  /** The trace that the request belongs to. */
  readonly trace: Trace;
  /** The span of the work, whose trace is `trace`. Unset where the request is not recorded. */
  readonly span?: Span | undefined;
  /** The name of the route in metrics and log. */
  readonly route: string;
  readonly sent: Sent;
  /** Whom the fair queue serves in turn: the name of the API key, or without keys the client's address or network. */
  readonly tenant: string;
  /** Aborted when the deadline passes (reason: TimeoutError) or the client hangs up (reason: AbortError). */
  readonly signal: AbortSignal;
  /** The deadline of the request, in milliseconds of `performance.now()`. */
  readonly deadlineMs: number;
  readonly log: Log;
  /** Adds fields to the request's line in the log. A field that is undefined is left out. */
  note(fields: Notes): void;
  /** Has `end` called when the answer is ready to be sent, or the request has failed. */
  onEnd(end: () => void): void;
  /** Milliseconds spent in each stage so far, from its first start to its last end. */
  readonly times: ReadonlyMap<Stage, number>;
  /**
   * Runs a stage and records its time. Concurrent runs of a stage count from the first start to the last end. Each run has a span,
   * where the request is recorded.
   */
  time<T>(stage: Stage, work: (span: Span | undefined) => Promise<T>): Promise<T>;
};
