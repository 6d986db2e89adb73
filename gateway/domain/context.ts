/** The context of one request: its id, its one deadline, its log and its times. */
import { performance } from 'node:perf_hooks';
import type { Log, RequestContext, Stage } from './request.ts';

const OWN_TIMEOUT_MS = 10_000;

export type ContextOptions = {
  readonly id: string;
  readonly tenant: string;
  readonly timeoutMs: number;
  readonly log: Log;
};

export type OpenContext = RequestContext & {
  /** Cancels everything under way: the client has hung up. */
  hangUp(): void;
  /** Ends the deadline's timer. */
  end(): void;
};

/** Opens a request's context; its deadline starts now. */
export function openContext({ id, tenant, timeoutMs, log }: ContextOptions): OpenContext {
  const startedMs = performance.now();
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException('the deadline passed', 'TimeoutError')), timeoutMs);
  const spans = new Map<Stage, { fromMs: number; toMs: number }>();
  const times = new Map<Stage, number>();
  return {
    id,
    tenant,
    log,
    signal: controller.signal,
    deadlineMs: startedMs + timeoutMs,
    times,
    async time(stage, work) {
      const span = spans.get(stage) ?? { fromMs: performance.now(), toMs: 0 };
      spans.set(stage, span);
      try {
        return await work();
      } finally {
        span.toMs = performance.now();
        times.set(stage, span.toMs - span.fromMs);
      }
    },
    hangUp: () => controller.abort(new DOMException('the client closed the connection', 'AbortError')),
    end: () => clearTimeout(timer),
  };
}

/** The context of what the gateway does for itself: cancelled by the signal, without a request's door. */
export function ownContext(signal: AbortSignal, log: Log): RequestContext {
  const deadlineMs = performance.now() + OWN_TIMEOUT_MS;
  return { id: 'self', tenant: 'self', signal, deadlineMs, log, times: new Map(), time: (_stage, work) => work() };
}
