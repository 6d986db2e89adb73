/** Receives the one message of a unary call into a separate allocation, which can move to a thread without a copy. */

import type { ServerHttp2Stream } from 'node:http2';
import { PREFIX_BYTES } from '../../gateway/grpc/receive.ts';
import { StatusError } from './status.ts';

/** About 470 images of 299 x 299 as float32. TF-Serving has no limit; this one bounds the memory a client can use. */
export const MAX_MESSAGE_BYTES = 512 * 1024 * 1024;

/**
 * Receives the message. Its memory is taken once, when the prefix has told its length, and has nothing else in it.
 * @throws StatusError RESOURCE_EXHAUSTED (too large), UNIMPLEMENTED (compressed), INTERNAL (none, cut off, or several),
 *   CANCELLED (the client has gone)
 */
export async function receiveMessage(stream: ServerHttp2Stream): Promise<Buffer<ArrayBuffer>> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer<ArrayBuffer>>();
  const message = new Message();
  stream.on('data', (piece: Buffer) => {
    try {
      message.append(piece);
    } catch (error) {
      stream.removeAllListeners('data').resume();
      reject(error);
    }
  });
  const onGone = () => reject(new StatusError('CANCELLED', 'CANCELLED'));
  stream.once('close', onGone);
  stream.once('end', () => {
    if (stream.aborted) return;
    stream.off('close', onGone);
    if (message.isWhole) resolve(message.bytes);
    else reject(new StatusError('INTERNAL', 'The call needs one message, and it is missing or cut off'));
  });
  return promise;
}

class Message {
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixLength = 0;
  #bytes: Buffer<ArrayBuffer> | undefined;
  #length = 0;

  get bytes(): Buffer<ArrayBuffer> {
    return this.#bytes ?? Buffer.from(new ArrayBuffer(0));
  }

  get isWhole(): boolean {
    return this.#bytes !== undefined && this.#length === this.#bytes.length;
  }

  append(piece: Buffer): void {
    const ofPrefix = piece.copy(this.#prefix, this.#prefixLength);
    this.#prefixLength += ofPrefix;
    if (this.#prefixLength < PREFIX_BYTES) return;
    this.#bytes ??= memoryFor(this.#prefix);
    if (this.#length + piece.length - ofPrefix > this.#bytes.length) {
      throw new StatusError('INTERNAL', 'The call needs one message, and has more than one');
    }
    this.#length += piece.copy(this.#bytes, this.#length, ofPrefix);
  }
}

function memoryFor(prefix: Buffer): Buffer<ArrayBuffer> {
  if (prefix[0] !== 0) throw new StatusError('UNIMPLEMENTED', 'Compressed messages are not supported');
  const length = prefix.readUInt32BE(1);
  if (length > MAX_MESSAGE_BYTES) {
    const text = `Received message larger than max (${length} vs. ${MAX_MESSAGE_BYTES})`;
    throw new StatusError('RESOURCE_EXHAUSTED', text);
  }
  // Not of Node's pool, whose buffers cannot be given away.
  return Buffer.from(new ArrayBuffer(length));
}
