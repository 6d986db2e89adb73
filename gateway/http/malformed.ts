/** Answers, logs and counts requests that are not valid HTTP. They reach no route; their connection is closed. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { GatewayError, KINDS, type Kind } from '../errors.ts';
import type { Metrics } from '../observe/metrics.ts';
import { closeAfterPeer } from './linger.ts';
import { problem } from './problem.ts';

type Fault = Error & { readonly code?: string };
type LatestRequest = { readonly request: IncomingMessage; readonly response: ServerResponse };
type Refusal = { readonly status: number; readonly kind: Kind; readonly detail: string };

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** Refuses invalid HTTP/1.1 with 400, incomplete headers with 408 and too large headers with 431. */
export function refuseMalformed(server: Server, { log, metrics }: { log: Logger; metrics: Metrics }): Server {
  const latest = new WeakMap<Socket, LatestRequest>();
  server.on('request', (request, response) => latest.set(request.socket, { request, response }));
  // Sockets that are answered while their client still sends. Each further chunk is another client error.
  const lingering = new WeakMap<Socket, () => void>();
  return server.on('clientError', (fault: Fault, socket: Socket) => {
    const onMore = lingering.get(socket);
    if (onMore) {
      onMore();
      return;
    }
    const refusal = refusalFor(fault, socket);
    const { request, response } = latest.get(socket) ?? {};
    // The fault is in the body of this request, or after it while it is processed: its door writes the log line.
    const hasDoor = request && response && !(request.complete && response.writableFinished);
    if (!refusal || !socket.writable || (hasDoor && response.headersSent)) {
      socket.destroy();
      return;
    }
    const { status, kind, detail } = refusal;
    const requestId = randomUUID();
    const client = socket.remoteAddress;
    socket.end(render(status, new GatewayError(kind, detail), requestId));
    lingering.set(socket, closeAfterPeer(socket));
    if (hasDoor) return;
    metrics.requests.inc({ route: 'none', status, kind });
    log[KINDS[kind].level]({ requestId, client, status, kind, detail, reason: fault.code }, 'refused');
  });
}

/** Undefined if no client waits for an answer: a lost connection, a failed handshake, a socket that sent nothing. */
function refusalFor({ code = '' }: Fault, { bytesRead }: Socket): Refusal | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { status: 431, kind: 'invalid_request', detail: 'The headers are larger than 16 KiB.' };
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT' && bytesRead > 0) {
    return { status: 408, kind: 'client_timeout', detail: 'The headers did not arrive in time.' };
  }
  if (code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE') {
    return { status: 400, kind: 'invalid_request', detail: 'This is not a valid HTTP/1.1 request (RFC 9112).' };
  }
  return undefined;
}

function render(status: number, error: GatewayError, id: string): string {
  const { headers, body } = problem(error, id, status);
  const lines = Object.entries({
    ...headers,
    'X-Request-Id': id,
    'X-Content-Type-Options': 'nosniff',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${REASONS[status]}\r\n${lines.join('')}\r\n${body}`;
}
