/**
 * Pipelining (RFC 9112, 9.3.2): requests that arrive on a connection before its earlier ones are answered. They are
 * handled one after the other and only a few may wait, so a connection that sends thousands at once delays no other.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createLoopQueue } from '../domain/loop-queue.ts';
import { http } from '../domain/node-http.ts';
import { createTurnShare } from '../domain/turn-share.ts';
import { boundPieces } from './body-pieces.ts';
import { readInTurn } from './body-turns.ts';
import { joinUnread } from './unread-body.ts';

/** Unanswered requests of one connection: one is handled, the others wait. */
export const MAX_UNANSWERED = 16;
/** Waiting requests of all connections together. Each has up to 16 KiB of headers and about 4 KiB of Node's objects. */
export const MAX_WAITING = 1024;

/**
 * Time for new requests in each turn of the event loop. Most of a request's work comes later in the turn, about twice as
 * much. Requests that are being answered go on in each turn: under overload they would wait for all refusals otherwise.
 */
const SHARE_MS = 1;

/** Code of the client error for a body of too many pieces. */
export const TOO_MANY_PIECES = 'TENSORGATE_TOO_MANY_PIECES';

/** A request that is not completely answered. */
export type Unanswered = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The server's listener has not been called with it. */
  isWaiting: boolean;
};

/** The unanswered requests of a connection, in the order of their arrival. */
type Line = { readonly requests: Unanswered[]; onAnswered?: () => void };

const beginInTurn = createTurnShare(SHARE_MS);
/** For requests behind others of their connection. */
const behindInTurn = createLoopQueue();
const lines = new WeakMap<Socket, Line>();
let waiting = 0;

/** The request of the connection that is handled now or next. */
export function firstUnanswered(socket: Socket): Unanswered | undefined {
  return lines.get(socket)?.requests[0];
}

/** Calls `then` when every request that has arrived completely is answered. The caller has to end the connection. */
export function whenAnswered(socket: Socket, then: () => void): void {
  const line = lines.get(socket);
  if (line && isToBeAnswered(line.requests[0])) line.onAnswered = then;
  else then();
}

/** False for one that waits although its rest is missing. */
function isToBeAnswered(first: Unanswered | undefined): boolean {
  return first !== undefined && (!first.isWaiting || first.request.complete);
}

/**
 * A request. If its connection has too many unanswered ones, it looks like a request to upgrade: Node then stops parsing
 * and emits `upgrade` with the socket. Without that the parser goes on to the end of the 64 kB that it has read, which
 * may be 2,500 requests.
 */
export class BoundedRequest extends http.IncomingMessage {
  constructor(socket: Socket) {
    super(socket);
    readInTurn(this);
    joinUnread(this);
    boundPieces(this, () => refuseBody(socket));
    // The parser sets the property too. The setter ignores it.
    if (isFull(socket)) Object.defineProperty(this, 'upgrade', { get: () => true, set: () => undefined });
  }
}

/** Has the server treat it like a body that is not valid HTTP. */
function refuseBody(socket: Socket): void {
  const { server } = socket as Socket & { readonly server: Server };
  server.emit('clientError', Object.assign(new Error('too many pieces'), { code: TOO_MANY_PIECES }), socket);
}

function isFull(socket: Socket): boolean {
  const count = lines.get(socket)?.requests.length ?? 0;
  return count >= MAX_UNANSWERED || (count > 0 && waiting >= MAX_WAITING);
}

/** Wraps a server's listener: it gets a request when the ones before it on the same connection are answered. */
export function oneByOne(listener: RequestListener): RequestListener {
  function start(unanswered: Unanswered | undefined): void {
    // The answer before may have closed the connection.
    if (!unanswered?.isWaiting || !unanswered.request.socket.writable) return;
    stopWaiting(unanswered);
    listener(unanswered.request, unanswered.response);
  }
  function onAnswered(line: Line): void {
    const answered = line.requests.shift();
    if (answered) stopWaiting(answered);
    if (line.onAnswered && !isToBeAnswered(line.requests[0])) line.onAnswered();
    else if (line.requests.length > 0) behindInTurn(() => start(line.requests[0]));
  }
  return (request, response) => {
    const line = lines.get(request.socket) ?? openLine(request.socket);
    const unanswered = { request, response, isWaiting: true };
    waiting += 1;
    line.requests.push(unanswered);
    response.once('close', () => onAnswered(line));
    if (line.requests.length === 1) beginInTurn(() => start(unanswered));
  };
}

function stopWaiting(unanswered: Unanswered): void {
  if (unanswered.isWaiting) waiting -= 1;
  unanswered.isWaiting = false;
}

function openLine(socket: Socket): Line {
  const line: Line = { requests: [] };
  lines.set(socket, line);
  socket.once('close', () => {
    // Node emits `close` only for the response that is being sent.
    for (const { response } of [...line.requests]) if (!response.closed) response.emit('close');
  });
  return line;
}
