/** A request context for tests. */
import type { RequestContext, Stage } from './request.ts';
import { newTrace } from './trace.ts';
import { NOTHING_SENT } from './traffic.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Makes a context. Its deadline is in 20 s by default. */
export function testContext(given: Partial<RequestContext> = {}): RequestContext {
  return {
    id: 'test',
    trace: newTrace(),
    route: '/test',
    sent: NOTHING_SENT,
    tenant: 'anonymous',
    signal: new AbortController().signal,
    deadlineMs: performance.now() + 20_000,
    log: silent,
    times: new Map<Stage, number>(),
    note: () => undefined,
    onEnd: (end) => end(),
    time: (_stage, work) => work(undefined),
    ...given,
  };
}
