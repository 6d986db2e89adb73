/** Compressed messages ("gRPC over HTTP/2", Message-Encoding): Triton and TF-Serving take them too. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bytesOf, freeMessage, HEAD_ROOM, type RoomyMessage } from '../domain/roomy-message.ts';
import { BodyBuffer } from '../door/body-buffer.ts';
import { lateBody, tooLarge } from '../door/body-limits.ts';
import type { HeldBody } from '../door/body-memory.ts';
import { createDecompressor, DECOMPRESSOR_BYTES, damaged } from '../door/decompressor.ts';
import { GatewayError } from '../errors.ts';

/** The input of one call to the library, which cannot be interrupted. */
const INPUT_BYTES = 16 * 1024;

/** The codings that a message may have, in the form of the header grpc-accept-encoding. */
export const ACCEPTED = 'identity,gzip,deflate';

export type DecompressOptions = {
  readonly maxBytes: number;
  readonly held: HeldBody;
  readonly signal: AbortSignal;
};

/**
 * Decompresses a message, whose memory is free afterwards. Throws `unsupported_media` for other codings, `body_too_large` by the
 * length that it has decompressed, `invalid_request` for a damaged one, `client_timeout` and `overloaded`.
 */
export async function decompress(
  message: RoomyMessage,
  coding: string,
  { maxBytes, held, signal }: DecompressOptions,
): Promise<RoomyMessage> {
  const decompressor = createDecompressor(coding);
  if (!decompressor) {
    const detail = 'grpc-encoding: send the message as gzip or deflate, or uncompressed.';
    throw new GatewayError('unsupported_media', detail);
  }
  held.take(DECOMPRESSOR_BYTES);
  const body = new BodyBuffer(HEAD_ROOM + maxBytes, held.take);
  let refusal: unknown;
  const collect = async (pieces: AsyncIterable<Buffer>) => {
    body.append(new Uint8Array(HEAD_ROOM));
    for await (const piece of pieces) {
      try {
        if (body.length - HEAD_ROOM + piece.length > maxBytes) throw tooLarge(maxBytes, 'MAX_BODY_BYTES');
        body.append(piece);
      } catch (thrown) {
        refusal = thrown;
        throw thrown;
      }
    }
  };
  try {
    await pipeline(Readable.from(piecesOf(bytesOf(message))), decompressor, collect, { signal });
  } catch (cause) {
    body.free();
    if (signal.aborted) throw lateBody(signal);
    throw refusal ?? damaged('grpc-encoding', cause);
  } finally {
    freeMessage(message);
  }
  return { memory: body.bytes().buffer as ArrayBuffer, start: HEAD_ROOM, end: body.length };
}

function* piecesOf(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += INPUT_BYTES) yield bytes.subarray(at, at + INPUT_BYTES);
}
