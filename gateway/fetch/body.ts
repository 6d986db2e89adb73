/** Reads a response body up to a size limit, and undoes its Content-Encoding. */
import type { IncomingMessage } from 'node:http';
import { createSemaphore } from '../domain/semaphore.ts';
import { GatewayError } from '../errors.ts';
import { codingsOf, decodeBody } from './content-encoding.ts';

/** Every chunk costs time and memory. After this many chunks, their mean size must reach `MIN_MEAN_CHUNK_BYTES`. */
const UNCHECKED_CHUNKS = 1024;
const MIN_MEAN_CHUNK_BYTES = 256;
/**
 * Bodies that are decoded at once. A decoder needs up to 16 MiB, and one of the four threads that also resolve private
 * names.
 */
const DECODED_AT_ONCE = 2;

/** Called with the length of each chunk, as received and as decoded. The error that it returns, if any, ends the download. */
export type OnBytes = (count: number) => Error | undefined;

/** The connection ended, or broke the protocol, within the body. */
export class IncompleteBody extends Error {}

/**
 * Reads the body of a response. Throws
 * - `source_too_large` if the declared length is above the limit (before reading), or at the first byte above it, as
 *   received or as decoded;
 * - `source_not_image` if the body cannot be decoded by its Content-Encoding;
 * - `source_failed` if the body arrives in chunks of a few bytes;
 * - IncompleteBody if it ends early, and the signal's reason.
 */
export type ReadBody = (response: IncomingMessage, signal: AbortSignal, onBytes?: OnBytes) => Promise<Buffer>;

/** Creates the reader for bodies of at most `maxBytes`. */
export function createBodyReader(maxBytes: number): ReadBody {
  const decoding = createSemaphore(DECODED_AT_ONCE);
  return async (response, signal, onBytes) => {
    const codings = codingsOf(response.headers['content-encoding']);
    if (Number(response.headers['content-length']) > maxBytes) throw tooLarge(maxBytes);
    let body = await receive(response, maxBytes, onBytes);
    if (codings.length === 0) return body;
    const release = await decoding.acquire('', signal);
    try {
      for (const coding of codings.toReversed()) {
        body = await decodeBody(body, coding, { signal, count: counter(maxBytes, onBytes) });
      }
      return body;
    } finally {
      release();
    }
  };
}

/** The bytes as they were sent. */
async function receive(response: IncomingMessage, maxBytes: number, onBytes?: OnBytes): Promise<Buffer> {
  if (response.destroyed) throw new IncompleteBody('the connection closed at the start of the body');
  const chunks: Buffer[] = [];
  let length = 0;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  response.on('data', (chunk: Buffer) => {
    if (response.destroyed) return; // a destroyed stream still emits what it has buffered
    chunks.push(chunk);
    length += chunk.length;
    const refusal = onBytes?.(chunk.length);
    if (refusal) response.destroy(refusal);
    else if (length > maxBytes) response.destroy(tooLarge(maxBytes));
    else if (chunks.length > UNCHECKED_CHUNKS && length < chunks.length * MIN_MEAN_CHUNK_BYTES) {
      response.destroy(chunksTooSmall());
    }
  });
  response.once('end', () => resolve(Buffer.concat(chunks, length)));
  response.once('error', (error) =>
    reject(error instanceof GatewayError ? error : new IncompleteBody(error.message, { cause: error })),
  );
  response.once('close', () => {
    if (!response.complete) reject(new IncompleteBody('the connection closed before the end of the body'));
  });
  return await promise;
}

/** Counts decoded bytes. Throws at the first byte above the limit. */
function counter(maxBytes: number, onBytes?: OnBytes): (count: number) => void {
  let length = 0;
  return (count) => {
    length += count;
    if (length > maxBytes) throw tooLarge(maxBytes);
    const refusal = onBytes?.(count);
    if (refusal) throw refusal;
  };
}

const tooLarge = (maxBytes: number) =>
  new GatewayError('source_too_large', `the image is larger than ${maxBytes} bytes`);

const chunksTooSmall = () => new GatewayError('source_failed', 'the source sends its body in chunks of a few bytes');
