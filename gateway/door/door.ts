/** What every request passes, by whatever transport it comes: its context, the check of its caller, log line, metrics. */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import { type OpenContext, openContext } from '../domain/context.ts';
import type { RequestContext } from '../domain/request.ts';
import type { Span } from '../domain/span.ts';
import { clientTrace, newTrace, type TraceHeaders } from '../domain/trace.ts';
import type { Sent } from '../domain/traffic.ts';
import { asGatewayError, clientGone, type GatewayError, KINDS } from '../errors.ts';
import type { Metrics } from '../observe/metrics.ts';
import { describeEnd, type Started, type StartTrace } from '../observe/traces/request-span.ts';
import type { Callers, Credentials, Headers } from './callers.ts';

export type DoorOptions = {
  readonly callers: Callers;
  readonly timeoutMs: number;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Unset where the gateway records no traces. */
  readonly startTrace?: StartTrace | undefined;
};

/** What a transport knows of a request when it arrives. */
export type Arrival = Credentials &
  TraceHeaders & {
    /** Its name in metrics and log: a constant. */
    readonly route: string;
    readonly method: string;
    /** The id that the client gave, of any form. */
    readonly requestId: string | undefined;
    readonly sent: Sent;
    /** The time that the client allows. REQUEST_TIMEOUT bounds it. */
    readonly timeoutMs?: number | undefined;
  };

/** What names a request in log and traces. */
export type RequestIds = { readonly requestId: string; readonly traceId: string };

/** How a transport handles and answers a request. `Reply`: its form of an answer. */
export type Exchange<Reply extends { readonly status: number }> = Headers & {
  /** Has `hangUp` called if the client goes before it has its answer. */
  onGone(hangUp: () => void): void;
  isGone(): boolean;
  handle(context: RequestContext): Promise<Reply>;
  /** The answer for a failure. */
  refuse(failure: GatewayError, ids: RequestIds): Reply;
  /** `about`: headers of every answer, and of every failure. */
  send(reply: Reply, about: Readonly<Record<string, string>>): void;
};

/** Passes one request from its arrival to its answer. Never rejects. */
export type Pass = <Reply extends { readonly status: number }>(
  arrival: Arrival,
  exchange: Exchange<Reply>,
) => Promise<void>;

/** Visible ASCII: needs no escaping in log lines and headers. */
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** Creates the function that all requests pass. */
export function createPass({ callers, timeoutMs: mostMs, log, metrics, startTrace = unrecorded }: DoorOptions): Pass {
  return async <Reply extends { readonly status: number }>(arrival: Arrival, exchange: Exchange<Reply>) => {
    const startedMs = performance.now();
    const id = idOf(arrival);
    const caller = callers.identify(arrival);
    const { tenant, key } = caller;
    const timeoutMs = Math.min(arrival.timeoutMs ?? mostMs, mostMs);
    const { route, sent } = arrival;
    const { trace, span } = startTrace(arrival);
    const ownLog = log.child({ requestId: id, traceId: trace.id, ...(key && { key }) });
    const context = openContext({ id, trace, span, route, sent, tenant, timeoutMs, log: ownLog });
    exchange.onGone(context.hangUp);

    let failure: GatewayError | undefined;
    let reply: Reply;
    try {
      await callers.authorize(caller, exchange);
      reply = await exchange.handle(context);
    } catch (thrown) {
      failure = exchange.isGone() ? clientGone(thrown) : asGatewayError(thrown);
      reply = exchange.refuse(failure, { requestId: id, traceId: trace.id });
    }
    context.end();
    const totalMs = performance.now() - startedMs;
    const about = { 'X-Request-Id': id, 'Server-Timing': serverTiming(context, totalMs) };
    exchange.send(reply, failure ? { ...about, 'X-Trace-Id': trace.id } : about);
    const done = { ...arrival, status: reply.status, totalMs, failure };
    countRequest(metrics, done, context);
    logRequest(done, context);
    if (span) endSpan(span, done, context);
  };
}

/** The client's trace as it is: the gateway has no span in it. */
function unrecorded(headers: TraceHeaders): Started {
  return { trace: clientTrace(headers) ?? newTrace(), span: undefined };
}

function endSpan(span: Span, done: AnsweredRequest, { id, notes }: OpenContext): void {
  span.setAttributes({
    'tensorgate.request_id': id,
    'tensorgate.model': notes.model,
    'tensorgate.version': notes.version,
  });
  describeEnd(span, done);
  span.end();
}

function idOf({ requestId = '' }: Arrival): string {
  return REQUEST_ID.test(requestId) ? requestId : randomUUID();
}

type AnsweredRequest = Pick<Arrival, 'route' | 'method' | 'client'> & {
  readonly status: number;
  readonly totalMs: number;
  readonly failure: GatewayError | undefined;
};

function countRequest(metrics: Metrics, done: AnsweredRequest, { times, trace }: OpenContext): void {
  const { route, status, totalMs, failure } = done;
  metrics.requests.inc({ route, status, kind: failure?.kind ?? 'none' });
  // A trace id is of no use where the trace is not recorded.
  const exemplar = trace.isSampled ? { exemplarLabels: { trace_id: trace.id } } : undefined;
  metrics.requestDuration.observe({ labels: { route }, value: totalMs / 1000, ...exemplar });
  for (const [stage, ms] of times) metrics.stageDuration.observe({ labels: { stage }, value: ms / 1000, ...exemplar });
}

function logRequest(done: AnsweredRequest, { times, notes, log }: OpenContext): void {
  const { route, method, status, totalMs, failure, client } = done;
  const fields = {
    client,
    method,
    route,
    status,
    ...notes,
    durationMs: round(totalMs),
    ...Object.fromEntries([...times].map(([stage, ms]) => [`${stage}Ms`, round(ms)])),
  };
  if (!failure) {
    log.info(fields, 'answered');
    return;
  }
  const { kind, message: detail, cause } = failure;
  log[KINDS[kind].level]({ ...fields, kind, detail, cause }, 'refused');
}

/** The Server-Timing header (W3C): milliseconds of each stage, what decoded, and in total since the headers arrived. */
function serverTiming({ times, notes: { decoder } }: OpenContext, totalMs: number): string {
  const metric = ([stage, ms]: readonly [string, number]) =>
    `${stage};dur=${round(ms)}${stage === 'decode' && decoder ? `;desc=${decoder}` : ''}`;
  return [...times, ['total', totalMs] as const].map(metric).join(', ');
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
