/** The wrapper of every handler: context of the request, authorization, answer, log line and metrics. */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { type OpenContext, openContext } from '../domain/context.ts';
import type { RequestContext } from '../domain/request.ts';
import { asGatewayError, clientGone, GatewayError, KINDS } from '../errors.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Answer } from './answer.ts';
import type { Callers } from './callers.ts';
import { endAfterRequest } from './linger.ts';
import { problem } from './problem.ts';

export type Handler = (request: Request, response: Response, context: RequestContext) => Promise<Answer>;

export type DoorOptions = {
  readonly callers: Callers;
  readonly timeoutMs: number;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** True if answers have to close their connection: during shutdown, or while memory is short. */
  readonly isClosing: () => boolean;
};

export type Door = (route: string, handler: Handler) => RequestHandler;

/** Visible ASCII: needs no escaping in log lines and headers. */
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** Creates the function that wraps a handler for express. `route` is its name in metrics and log. */
export function createDoor({ callers, timeoutMs, log, metrics, isClosing }: DoorOptions): Door {
  return (route, handler) => async (request, response) => {
    const startedMs = performance.now();
    const id = requestIdOf(request);
    const caller = callers.identify(request);
    const { tenant, key } = caller;
    const context = openContext({ id, tenant, timeoutMs, log: log.child({ requestId: id, ...(key && { key }) }) });
    response.once('close', () => !response.writableFinished && context.hangUp());

    let failure: GatewayError | undefined;
    let answer: Answer;
    try {
      await callers.authorize(caller, response);
      answer = await handler(request, response, context);
    } catch (thrown) {
      failure = response.destroyed ? clientGone(thrown) : asGatewayError(thrown);
      answer = problem(failure, id);
    }
    context.end();
    const totalMs = performance.now() - startedMs;
    send(request, response, answer, {
      'X-Request-Id': id,
      'Server-Timing': serverTiming(context, totalMs),
      ...(isClosing() && { Connection: 'close' }),
    });
    const done = { route, method: request.method, status: answer.status, totalMs, failure, client: request.ip };
    countRequest(metrics, done, context);
    logRequest(done, context);
  };
}

function requestIdOf(request: Request): string {
  const given = request.get('x-request-id') ?? '';
  return REQUEST_ID.test(given) ? given : randomUUID();
}

type AnsweredRequest = {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly totalMs: number;
  readonly failure: GatewayError | undefined;
  /** The client's address, by TRUSTED_PROXIES. */
  readonly client: string | undefined;
};

function countRequest(metrics: Metrics, { route, status, totalMs, failure }: AnsweredRequest, { times }: OpenContext) {
  metrics.requests.inc({ route, status, kind: failure?.kind ?? 'none' });
  metrics.requestDuration.observe({ route }, totalMs / 1000);
  for (const [stage, ms] of times) metrics.stageDuration.observe({ stage }, ms / 1000);
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

/** A handler that refuses every method. `methods`: those that the route allows. */
export const allowOnly =
  (methods: string): Handler =>
  async (request, response) => {
    response.setHeader('Allow', methods);
    throw new GatewayError('method_not_allowed', `${request.method} is not allowed here; use ${methods}.`);
  };

function send(
  request: Request,
  response: Response,
  { status, headers, body }: Answer,
  extra: Record<string, string>,
): void {
  if (response.destroyed) return;
  response.writeHead(status, { ...headers, ...extra, 'Content-Length': Buffer.byteLength(body) });
  if (request.complete) {
    response.end(body);
    return;
  }
  response.write(body);
  endAfterRequest(request, response);
}

/** The Server-Timing header (W3C): milliseconds of each stage, and in total since the headers arrived. */
function serverTiming({ times }: OpenContext, totalMs: number): string {
  return [...times, ['total', totalMs] as const].map(([stage, ms]) => `${stage};dur=${round(ms)}`).join(', ');
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
