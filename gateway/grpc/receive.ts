/** Receives the one message of a unary call, up to its limit, its deadline and the memory of all bodies. */
import type { ServerHttp2Stream } from 'node:http2';
import { HEAD_ROOM, type RoomyMessage } from '../domain/roomy-message.ts';
import { BodyBuffer } from '../door/body-buffer.ts';
import { lateBody, tooLarge } from '../door/body-limits.ts';
import { asGatewayError, clientGone, GatewayError } from '../errors.ts';
import { type DecompressOptions, decompress } from './compressed.ts';

/** Length-Prefixed-Message ("gRPC over HTTP/2", Requests): a compression flag, the length, the message. */
export const PREFIX_BYTES = 5;

export type ReceiveOptions = DecompressOptions & {
  /** The header grpc-encoding. */
  readonly coding?: string | undefined;
  /** Called for each piece that arrives. */
  readonly onPiece: (stream: ServerHttp2Stream, bytes: number) => void;
};

/** Receives the message and decompresses it. Throws what both throw. */
export async function receiveMessage(stream: ServerHttp2Stream, options: ReceiveOptions): Promise<RoomyMessage> {
  const message = await receiveAsSent(stream, options);
  const [flag] = new Uint8Array(message.memory, message.start - PREFIX_BYTES, 1);
  return flag === 0 ? message : decompress(message, options.coding ?? '', options);
}

/**
 * Receives the message. What arrives after a refusal is dropped, and its memory is free at once. Throws `body_too_large`,
 * `invalid_request` (none, cut off, or several), `client_timeout` when the signal is
 * aborted, `client_gone`, and `overloaded`.
 */
async function receiveAsSent(stream: ServerHttp2Stream, options: ReceiveOptions): Promise<RoomyMessage> {
  const { maxBytes, held, signal, onPiece } = options;
  const { promise, resolve, reject } = Promise.withResolvers<RoomyMessage>();
  const start = HEAD_ROOM + PREFIX_BYTES;
  const body = new BodyBuffer(start + maxBytes, held.take);
  let isDone = false;
  const end = (finish: () => void) => {
    if (isDone) return;
    isDone = true;
    finish();
  };
  const refuse = (error: GatewayError) =>
    end(() => {
      stream.off('data', onData).resume();
      body.free();
      held.release();
      reject(error);
    });
  const onData = (piece: Buffer) => {
    onPiece(stream, piece.length);
    try {
      if (body.length === 0) body.append(new Uint8Array(HEAD_ROOM));
      // The prefix is checked before memory is taken for what it announces.
      const ofPrefix = piece.subarray(0, Math.max(0, start - body.length));
      body.append(ofPrefix);
      if (body.length < start) return;
      const length = checkedLength(body.bytes().subarray(HEAD_ROOM, start), maxBytes);
      if (body.length - start + piece.length - ofPrefix.length > length) throw notOne('more than one message');
      body.append(piece.subarray(ofPrefix.length));
    } catch (thrown) {
      refuse(asGatewayError(thrown));
    }
  };
  const onAbort = () => refuse(lateBody(signal));
  stream.on('data', onData);
  stream.once('close', () => refuse(clientGone(new Error(`the stream was closed with ${stream.rstCode}`))));
  stream.once('end', () => {
    if (stream.aborted) return;
    const bytes = body.bytes();
    const isWhole = bytes.length >= start && bytes.length - start === bytes.readUInt32BE(HEAD_ROOM + 1);
    if (!isWhole) return refuse(notOne(bytes.length === 0 ? 'no message' : 'a message that is cut off'));
    end(() => resolve({ memory: bytes.buffer as ArrayBuffer, start, end: bytes.length }));
  });
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The length in the prefix of a message. */
function checkedLength(prefix: Buffer, maxBytes: number): number {
  const [flag = 0] = prefix;
  if (flag > 1)
    throw new GatewayError('invalid_request', `The call needs a message with the flag 0 or 1, and has ${flag}.`);
  const length = prefix.readUInt32BE(1);
  if (length > maxBytes) throw tooLarge(maxBytes, 'MAX_BODY_BYTES');
  return length;
}

function notOne(got: string): GatewayError {
  return new GatewayError('invalid_request', `The call needs one message, and has ${got}.`);
}
