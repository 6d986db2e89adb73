/** The wrapper of every handler: a request over HTTP passes the door. */
import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { RequestContext } from '../domain/request.ts';
import { newTrace } from '../domain/trace.ts';
import type { Sent } from '../domain/traffic.ts';
import type { Pass, RequestIds } from '../door/door.ts';
import type { HoldAnswer } from '../door/unread-answers.ts';
import { GatewayError } from '../errors.ts';
import { type Answer, piecesOf } from './answer.ts';
import { isBroken } from './broken-body.ts';
import { isSurplus } from './connections.ts';
import { closeAfterPeer, endAfterRequest } from './linger.ts';
import { problem } from './problem.ts';

export type Handler = (request: Request, response: Response, context: RequestContext) => Promise<Answer>;

/** Renders a failure. */
export type Refuse = (failure: GatewayError, ids: RequestIds) => Answer;

/** `route`: its name in metrics and log. `refuse`: how the protocol renders failures; as problem+json by default. */
export type Door = (route: string, handler: Handler, refuse?: Refuse) => RequestHandler;

/**
 * Creates the function that wraps a handler for express. `isClosing`: true if answers have to close their connection, during
 * shutdown or while memory is short.
 */
export function createDoor(pass: Pass, holdAnswer: HoldAnswer, isClosing: () => boolean): Door {
  return (route, handler, refuse = problem) =>
    (request, response) =>
      pass(
        {
          route,
          method: request.method,
          requestId: request.get('x-request-id'),
          traceparent: request.get('traceparent'),
          tracestate: request.get('tracestate'),
          authorization: request.get('authorization'),
          apiKey: request.get('x-api-key'),
          client: request.ip,
          sent: sentBy(request),
        },
        {
          setHeader: (name, value) => response.setHeader(name, value),
          onGone: (hangUp) => response.once('close', () => !response.writableFinished && hangUp()),
          // A connection that the gateway closes tells it later, in a turn of the event loop.
          isGone: () => response.destroyed || request.socket.destroyed,
          async handle(context) {
            if (isSurplus(request.socket)) throw tooManyConnections();
            const answer = await handler(request, response, context);
            holdAnswer(response, piecesOf(answer.body).bytes, () => response.destroy());
            return answer;
          },
          refuse,
          send: (answer, about) =>
            send(request, response, answer, {
              ...about,
              ...((isClosing() || isSurplus(request.socket)) && CLOSE),
            }),
        },
      );
}

function sentBy(request: Request): Sent {
  return {
    header: (name) => request.get(name),
    query(name) {
      const value = request.query[name];
      return typeof value === 'string' ? value : undefined;
    },
  };
}

const CLOSE = { Connection: 'close' };

function tooManyConnections(): GatewayError {
  const detail = 'The gateway has as many connections as it can take; try again later.';
  return new GatewayError('overloaded', detail, { isUnavailable: true });
}

/** A handler that refuses every method. `methods`: those that the route allows. */
export const allowOnly =
  (methods: string): Handler =>
  async (request, response) => {
    throw notAllowed(request, response, methods);
  };

/** The same for health and pages, which have no door: no API key is needed to learn that a method is not offered. */
export const healthOnly =
  (refuse: Refuse = problem): RequestHandler =>
  (request, response) => {
    const requestId = randomUUID();
    const answer = refuse(notAllowed(request, response, 'GET, HEAD'), { requestId, traceId: newTrace().id });
    send(request, response, answer, { 'X-Request-Id': requestId });
  };

function notAllowed({ method }: Request, response: Response, methods: string): GatewayError {
  response.setHeader('Allow', methods);
  return new GatewayError('method_not_allowed', `${method} is not allowed here; use ${methods}.`);
}

function send(
  request: Request,
  response: Response,
  { status, headers, body }: Answer,
  extra: Readonly<Record<string, string>>,
): void {
  if (response.destroyed) return;
  const { pieces, bytes } = piecesOf(body);
  response.writeHead(status, { ...headers, ...extra, 'Content-Length': bytes });
  if (request.complete) {
    for (const piece of pieces.slice(0, -1)) response.write(piece);
    response.end(pieces.at(-1));
    return;
  }
  for (const piece of pieces) response.write(piece);
  if (isBroken(request)) {
    request.socket.end();
    closeAfterPeer(request.socket);
  } else endAfterRequest(request, response);
}
