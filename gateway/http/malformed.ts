/** What is no HTTP never reaches a door: it is answered, logged and counted here, and its connection closed. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { GatewayError, KINDS, type Kind } from '../errors.ts';
import type { Metrics } from '../observe/metrics.ts';
import { problem } from './problem.ts';

type Fault = Error & { readonly code?: string };
type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };
type Refusal = { readonly status: number; readonly kind: Kind; readonly detail: string };

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** Refuses what the server cannot read as HTTP/1.1: 400, 408 for headers that do not end, 431 for too many of them. */
export function refuseMalformed(server: Server, { log, metrics }: { log: Logger; metrics: Metrics }): Server {
  const latest = new WeakMap<Socket, Exchange>();
  server.on('request', (request, response) => latest.set(request.socket, { request, response }));
  return server.on('clientError', (fault: Fault, socket: Socket) => {
    const refusal = refusalFor(fault, socket);
    const { request, response } = latest.get(socket) ?? {};
    // A request whose body broke off, or with one behind it that is none, has a door, and its log line there.
    const hasDoor = request && response && !(request.complete && response.writableFinished);
    if (!refusal || !socket.writable || (hasDoor && response.headersSent)) {
      socket.destroy();
      return;
    }
    const { status, kind, detail } = refusal;
    const requestId = randomUUID();
    socket.end(render(status, new GatewayError(kind, detail), requestId));
    if (hasDoor) return;
    metrics.requests.inc({ route: 'none', status, kind });
    log[KINDS[kind].level]({ requestId, status, kind, detail, reason: fault.code }, 'refused');
  });
}

/** Undefined for what nobody waits for an answer to: a lost connection, a failed handshake, a socket that never spoke. */
function refusalFor({ code = '' }: Fault, { bytesRead }: Socket): Refusal | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { status: 431, kind: 'invalid_request', detail: 'The headers are larger than 16 KiB.' };
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT' && bytesRead > 0) {
    return { status: 408, kind: 'client_timeout', detail: 'The headers did not arrive in time.' };
  }
  if (code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE') {
    return { status: 400, kind: 'invalid_request', detail: 'This is not a request of HTTP/1.1 (RFC 9112).' };
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
