/** Spans: the timed parts of a request in a trace that is recorded. gateway/observe/traces/ makes them. */
import type { Trace } from './trace.ts';

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** `client`: a call to another service. */
export type SpanKind = 'internal' | 'client';

export type Span = {
  /** The trace, with this span as the parent of what is called. */
  readonly trace: Trace;
  /** Starts a span with this one as its parent. */
  startChild(name: string, kind: SpanKind): Span;
  /** Those that are undefined are left out. */
  setAttributes(attributes: Attributes): void;
  /** Adds what happened now. */
  addEvent(name: string, attributes?: Attributes): void;
  /** Marks it as failed. */
  fail(thrown: unknown): void;
  end(): void;
};
