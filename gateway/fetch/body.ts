/** Reads a response body up to a size limit. */
import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../errors.ts';

/** Every chunk costs time and memory. After this many chunks, their mean size must reach `MIN_MEAN_CHUNK_BYTES`. */
const UNCHECKED_CHUNKS = 1024;
const MIN_MEAN_CHUNK_BYTES = 256;

/** Called with the length of each chunk. The error that it returns, if any, ends the download. */
export type OnBytes = (count: number) => Error | undefined;

/**
 * Reads the body of a 200 response. Throws
 * - `source_too_large` if the declared length is above `maxBytes` (before reading), or at the first byte above it;
 * - `source_not_image` if the body has a Content-Encoding: none was requested, and decoding can expand it;
 * - `source_failed` if the body arrives in chunks of a few bytes.
 * A body that ends early rejects with Node's own error.
 */
export async function readBody(response: IncomingMessage, maxBytes: number, onBytes?: OnBytes): Promise<Buffer> {
  const { 'content-length': declared, 'content-encoding': encoding = 'identity' } = response.headers;
  if (encoding.toLowerCase() !== 'identity') {
    throw new GatewayError('source_not_image', 'the source sent a Content-Encoding although identity was requested');
  }
  if (Number(declared) > maxBytes) throw tooLarge(maxBytes);

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
  response.once('error', reject);
  response.once('close', () => {
    if (!response.complete) reject(new Error('the connection closed before the end of the body'));
  });
  return await promise;
}

const tooLarge = (maxBytes: number) =>
  new GatewayError('source_too_large', `the image is larger than ${maxBytes} bytes`);

const chunksTooSmall = () => new GatewayError('source_failed', 'the source sends its body in chunks of a few bytes');
