/** Sends the answer to a call. */
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { GatewayError } from '../errors.ts';
import { ACCEPTED } from './compressed.ts';
import type { Reply } from './method.ts';
import { PREFIX_BYTES } from './receive.ts';
import { failed, OK, type Trailers } from './status.ts';

/** For the rest of a request after its answer. */
const REST_MS = 1000;

export type Answer = {
  /** The HTTP status of the kind, for log and metrics. */
  readonly status: number;
  /** Absent for a failure. */
  readonly message?: Reply;
  readonly trailers: Trailers;
};

export function success(message: Reply): Answer {
  return { status: 200, message, trailers: OK };
}

export function failure(error: GatewayError): Answer {
  return { status: error.status, trailers: failed(error.grpcStatus, error.message) };
}

export type SendOptions = {
  readonly httpStatus: number;
  /** By lower-case names. */
  readonly metadata: Readonly<Record<string, string>>;
  /** An answer of which the client takes nothing for so long is dropped. */
  readonly idleMs: number;
};

/** Sends the answer. Where the request has not arrived completely, its rest is refused. */
export function send(stream: ServerHttp2Stream, { message, trailers }: Answer, options: SendOptions): void {
  const { httpStatus, metadata, idleMs } = options;
  if (stream.destroyed || stream.closed) return;
  const about = { 'content-type': 'application/grpc', 'grpc-accept-encoding': ACCEPTED };
  const headers = { ':status': httpStatus, ...about, ...metadata };
  stream.setTimeout(idleMs, () => stream.close(constants.NGHTTP2_CANCEL));
  if (!message) {
    stream.respond({ ...headers, ...trailers }, { endStream: true });
    // RFC 9113, 8.1: a client that is still sending may stop.
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
    return;
  }
  stream.respond(headers, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers({ ...trailers }));
  stream.cork();
  stream.write(prefixOf(message));
  for (const piece of message) stream.write(piece);
  stream.uncork();
  stream.end();
  if (!stream.readableEnded) dropRest(stream);
}

/** Drops what a client still sends after its answer. A reset could overtake the trailers, so it comes later. */
function dropRest(stream: ServerHttp2Stream): void {
  stream.resume();
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), REST_MS);
  stream.once('close', () => clearTimeout(timer));
}

function prefixOf(message: Reply): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(lengthOf(message), 1);
  return prefix;
}

export function lengthOf(message: Reply): number {
  return message.reduce((sum, { length }) => sum + length, 0);
}
