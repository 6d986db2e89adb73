/**
 * Answers, logs and counts what Node gives to no route: requests that are not valid HTTP, CONNECT, and requests on a
 * connection with too many unanswered ones. Their connection is closed.
 */
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { http } from '../domain/node-http.ts';
import { newTrace } from '../domain/trace.ts';
import type { RequestIds } from '../door/door.ts';
import { GatewayError, KINDS, type Kind } from '../errors.ts';
import type { Metrics } from '../observe/metrics.ts';
import { FREE_PIECES, MIN_PIECE_BYTES } from './body-pieces.ts';
import { breakBody } from './broken-body.ts';
import { MAX_HEADERS } from './heads.ts';
import { closeAfterPeer } from './linger.ts';
import { firstUnanswered, MAX_UNANSWERED, TOO_MANY_PIECES, whenAnswered } from './pipelining.ts';
import { problem } from './problem.ts';

type Fault = Error & { readonly code?: string };
type Refusal = { readonly status: number; readonly kind: Kind; readonly detail: string; readonly allow?: string };

/** This is no proxy, so there is nothing that could be allowed (RFC 9110, 10.2.1). */
const CONNECT: Refusal = { status: 405, kind: 'method_not_allowed', detail: 'CONNECT is not offered.', allow: '' };
const TOO_MANY: Refusal = {
  status: 429,
  kind: 'overloaded',
  detail: `More than ${MAX_UNANSWERED} requests on one connection: wait for answers before you send more.`,
};
const CRUMBS: Refusal = {
  status: 400,
  kind: 'invalid_request',
  detail: `The body has more than ${FREE_PIECES} pieces of less than ${MIN_PIECE_BYTES} bytes: send larger chunks.`,
};

/** Refuses invalid HTTP/1.1 with 400, incomplete headers with 408, too large headers with 431; CONNECT and pipelining. */
export function refuseMalformed(server: Server, { log, metrics }: { log: Logger; metrics: Metrics }): Server {
  const refused = new WeakSet<Socket>();

  function answer(socket: Socket, { status, kind, detail, allow }: Refusal): RequestIds {
    const ids = { requestId: randomUUID(), traceId: newTrace().id };
    stopParsing(socket);
    socket.end(render(status, new GatewayError(kind, detail), ids, allow));
    closeAfterPeer(socket);
    return ids;
  }
  function stopParsing(socket: Socket): void {
    refused.add(socket);
    socket.removeAllListeners('data').on('data', () => undefined);
  }
  function refuse(socket: Socket, refusal: Refusal, reason?: string): void {
    stopParsing(socket);
    whenAnswered(socket, () => {
      const { status, kind, detail } = refusal;
      const client = socket.remoteAddress;
      if (!socket.writable) return;
      const ids = answer(socket, refusal);
      metrics.requests.inc({ route: 'none', status, kind });
      log[KINDS[kind].level]({ ...ids, client, status, kind, detail, reason }, 'refused');
    });
  }
  /** Node has given the socket away: it neither parses what comes nor listens to errors any more. */
  function refuseRest(stream: Duplex, refusal: Refusal): void {
    const socket = stream as Socket;
    socket.on('error', () => socket.destroy());
    refuse(socket, refusal);
  }

  server.on('connect', (_request, socket) => refuseRest(socket, CONNECT));
  server.on('upgrade', (_request, socket) => refuseRest(socket, TOO_MANY));
  return server.on('clientError', (fault: Fault, stream: Duplex) => {
    const socket = stream as Socket;
    if (refused.has(socket)) return;
    const refusal = refusalFor(fault, socket);
    if (!refusal || !socket.writable) return socket.destroy();
    const first = firstUnanswered(socket);
    if (!first || first.isWaiting || first.request.complete) return refuse(socket, refusal, fault.code);
    // The fault is in the body of the request that is handled: its door answers and writes the log line.
    if (first.response.headersSent) return socket.destroy();
    stopParsing(socket);
    first.response.setHeader('Connection', 'close');
    breakBody(first.request, new GatewayError(refusal.kind, refusal.detail));
  });
}

/** Undefined if no client waits for an answer: a lost connection, a failed handshake, a socket that sent nothing. */
function refusalFor({ code = '' }: Fault, { bytesRead }: Socket): Refusal | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return {
      status: 431,
      kind: 'invalid_request',
      detail: `The headers are larger than 16 KiB, or more than ${MAX_HEADERS}.`,
    };
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT' && bytesRead > 0) {
    return { status: 408, kind: 'client_timeout', detail: 'The headers did not arrive in time.' };
  }
  if (code === TOO_MANY_PIECES) return CRUMBS;
  if (code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE') {
    return { status: 400, kind: 'invalid_request', detail: 'This is not a valid HTTP/1.1 request (RFC 9112).' };
  }
  return undefined;
}

function render(status: number, error: GatewayError, ids: RequestIds, allow: string | undefined): string {
  const { headers, body } = problem(error, ids, status);
  const lines = Object.entries({
    ...headers,
    ...(allow !== undefined && { Allow: allow }),
    'X-Request-Id': ids.requestId,
    'X-Content-Type-Options': 'nosniff',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}
