/** The door in front of every handler: it opens the request's context, and sends one answer, one log line and the metrics. */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { type OpenContext, openContext } from '../domain/context.ts';
import type { RequestContext } from '../domain/request.ts';
import { asGatewayError, GatewayError, KINDS } from '../errors.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Answer } from './answer.ts';
import type { Callers } from './callers.ts';
import { problem } from './problem.ts';

export type Handler = (request: Request, response: Response, context: RequestContext) => Promise<Answer>;

export type DoorOptions = {
  readonly callers: Callers;
  readonly timeoutMs: number;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** True while answers have to close their connection: during shutdown, or when memory is short. */
  readonly isClosing: () => boolean;
};

export type Door = (route: string, handler: Handler) => RequestHandler;

/** Visible ASCII, which needs no escape in a log line or a header. */
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** Makes the function that turns a handler into one of express. `route` is its name in metrics and log. */
export function createDoor({ callers, timeoutMs, log, metrics, isClosing }: DoorOptions): Door {
  return (route, handler) => async (request, response) => {
    const startedMs = performance.now();
    const given = request.get('x-request-id') ?? '';
    const id = REQUEST_ID.test(given) ? given : randomUUID();
    const caller = callers.identify(request);
    const { tenant, key } = caller;
    const context = openContext({ id, tenant, timeoutMs, log: log.child({ requestId: id, ...(key && { key }) }) });
    response.once('close', () => !response.writableFinished && context.hangUp());

    let failure: GatewayError | undefined;
    let answer: Answer;
    try {
      await callers.admit(caller, response);
      answer = await handler(request, response, context);
    } catch (thrown) {
      failure = response.destroyed
        ? new GatewayError('client_gone', 'The client closed the connection.', { cause: thrown })
        : asGatewayError(thrown);
      answer = problem(failure, id);
    }
    context.end();
    const totalMs = performance.now() - startedMs;
    send(response, answer, {
      'X-Request-Id': id,
      'Server-Timing': serverTiming(context, totalMs),
      ...(isClosing() && { Connection: 'close' }),
    });
    // Read and drop the rest of a refused body: a client that is still sending would not see the answer if the connection
    // closed. The server's requestTimeout bounds the time.
    if (!request.complete) request.resume();

    const status = answer.status;
    metrics.requests.inc({ route, status, kind: failure?.kind ?? 'none' });
    metrics.requestDuration.observe({ route }, totalMs / 1000);
    for (const [stage, ms] of context.times) metrics.stageDuration.observe({ stage }, ms / 1000);
    const fields = {
      method: request.method,
      route,
      status,
      durationMs: round(totalMs),
      ...Object.fromEntries([...context.times].map(([stage, ms]) => [`${stage}Ms`, round(ms)])),
    };
    if (!failure) context.log.info(fields, 'answered');
    else
      context.log[KINDS[failure.kind].level](
        { ...fields, kind: failure.kind, detail: failure.message, cause: failure.cause },
        'refused',
      );
  };
}

/** A handler that refuses every method, for the methods that a route does not know. */
export const allowOnly =
  (methods: string): Handler =>
  async (request, response) => {
    response.setHeader('Allow', methods);
    throw new GatewayError('method_not_allowed', `${request.method} is not allowed here; use ${methods}.`);
  };

function send(response: Response, { status, headers, body }: Answer, extra: Record<string, string>): void {
  if (response.destroyed) return;
  response.writeHead(status, { ...headers, ...extra, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

/** The header Server-Timing (W3C): milliseconds of each stage, and of the whole request since its headers arrived. */
function serverTiming({ times }: OpenContext, totalMs: number): string {
  return [...times, ['total', totalMs] as const].map(([stage, ms]) => `${stage};dur=${round(ms)}`).join(', ');
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
