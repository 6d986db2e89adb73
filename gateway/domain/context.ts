/** The context of one request: its id, deadline, log and times. */
import { performance } from 'node:perf_hooks';
import type { Log, Notes, RequestContext, Stage } from './request.ts';
import type { Span, SpanKind } from './span.ts';
import { newTrace, type Trace } from './trace.ts';
import { NOTHING_SENT, type Sent } from './traffic.ts';

const OWN_TIMEOUT_MS = 10_000;

export type ContextOptions = {
  readonly id: string;
  readonly trace: Trace;
  readonly span?: Span | undefined;
  readonly route: string;
  readonly sent: Sent;
  readonly tenant: string;
  readonly timeoutMs: number;
  readonly log: Log;
};

export type OpenContext = RequestContext & {
  /** What the stages have noted so far. */
  readonly notes: Notes;
  /** Cancels all work of the request, because the client has closed the connection. */
  hangUp(): void;
  /** Stops the timer of the deadline, and calls what `onEnd` was given. */
  end(): void;
};

/** Opens a request's context. The time until its deadline starts now. */
export function openContext({ id, trace, span, route, sent, tenant, timeoutMs, log }: ContextOptions): OpenContext {
  const startedMs = performance.now();
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException('the deadline passed', 'TimeoutError')), timeoutMs);
  const runs = new Map<Stage, { fromMs: number; toMs: number }>();
  const times = new Map<Stage, number>();
  const notes: Notes = {};
  const ended = new DisposableStack();
  return {
    id,
    trace,
    span,
    route,
    sent,
    tenant,
    log,
    signal: controller.signal,
    deadlineMs: startedMs + timeoutMs,
    times,
    notes,
    onEnd: (end) => (ended.disposed ? end() : ended.defer(end)),
    note(fields) {
      const known = Object.entries(fields).filter(([, value]) => value !== undefined);
      Object.assign(notes, Object.fromEntries(known));
    },
    async time(stage, work) {
      const run = runs.get(stage) ?? { fromMs: performance.now(), toMs: 0 };
      runs.set(stage, run);
      try {
        return await (span ? inSpan(span.startChild(stage, kindOf(stage)), work) : work(undefined));
      } finally {
        run.toMs = performance.now();
        times.set(stage, run.toMs - run.fromMs);
      }
    },
    hangUp: () => controller.abort(new DOMException('the client closed the connection', 'AbortError')),
    end() {
      clearTimeout(timer);
      ended.dispose();
    },
  };
}

/** Stages that are calls to other services. */
function kindOf(stage: Stage): SpanKind {
  return stage === 'fetch' || stage === 'predict' ? 'client' : 'internal';
}

async function inSpan<T>(span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    return await work(span);
  } catch (thrown) {
    span.fail(thrown);
    throw thrown;
  } finally {
    span.end();
  }
}

/** The same context for the work of a stage, whose span is the parent of what the work calls. */
export function withSpan(context: RequestContext, span: Span | undefined): RequestContext {
  return span ? { ...context, trace: span.trace, span } : context;
}

/**
 * The context of the gateway's own work, such as the warm-up. The signal cancels it, at the latest after `timeoutMs`. It sends no
 * answer, so what waits for its end is called at once.
 */
export function ownContext(signal: AbortSignal, log: Log, timeoutMs = OWN_TIMEOUT_MS): RequestContext {
  const deadlineMs = performance.now() + timeoutMs;
  return {
    id: 'self',
    trace: newTrace(),
    route: 'self',
    sent: NOTHING_SENT,
    tenant: 'self',
    signal,
    deadlineMs,
    log,
    times: new Map(),
    note: () => undefined,
    onEnd: (end) => end(),
    time: (_stage, work) => work(undefined),
  };
}

/** The same context with a deadline in `timeoutMs` from now, unless its own is before. */
export function withTimeout(context: RequestContext, timeoutMs: number): RequestContext {
  const deadlineMs = performance.now() + timeoutMs;
  if (deadlineMs >= context.deadlineMs) return context;
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)]);
  return { ...context, deadlineMs, signal, times: context.times };
}
