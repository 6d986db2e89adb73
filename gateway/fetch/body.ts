/** Reads an answer's body, never past a cap. */
import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../errors.ts';

/** Each piece of a body costs time and memory of its own; so many of them must have held so many bytes each. */
const PIECES_UNCOUNTED = 1024;
const MEAN_PIECE_BYTES = 256;

/**
 * The body of a 200 answer. Throws `source_too_large` before the body where the declared length passes `maxBytes`, else
 * at the first byte past it; `source_not_image` where the body is encoded, since none was asked for and a few encoded
 * bytes can hold many; `source_failed` where it comes in crumbs. A body that ends early rejects with Node's own error.
 */
export async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const { 'content-length': declared, 'content-encoding': encoding = 'identity' } = response.headers;
  if (encoding.toLowerCase() !== 'identity') {
    throw new GatewayError('source_not_image', 'the source encoded its answer (Content-Encoding) though asked not to');
  }
  if (Number(declared) > maxBytes) throw tooLarge(maxBytes);

  const pieces: Buffer[] = [];
  let length = 0;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  response.on('data', (piece: Buffer) => {
    if (response.destroyed) return; // a destroyed stream still hands out what it had buffered
    pieces.push(piece);
    length += piece.length;
    if (length > maxBytes) response.destroy(tooLarge(maxBytes));
    else if (pieces.length > PIECES_UNCOUNTED && length < pieces.length * MEAN_PIECE_BYTES) response.destroy(crumbs());
  });
  response.once('end', () => resolve(Buffer.concat(pieces, length)));
  response.once('error', reject);
  response.once('close', () => {
    if (!response.complete) reject(new Error('the answer ended before its body did'));
  });
  return await promise;
}

const tooLarge = (maxBytes: number) =>
  new GatewayError('source_too_large', `the image is larger than ${maxBytes} bytes`);

const crumbs = () => new GatewayError('source_failed', 'the source sends its answer in pieces of a few bytes');
