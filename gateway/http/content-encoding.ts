/** The compression of a request's body, which TF-Serving's and Triton's REST take too. */
import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createDecompressor } from '../door/decompressor.ts';
import { GatewayError } from '../errors.ts';

/**
 * What undoes the coding of the body. Undefined for a body as it is. An empty list is no coding. Throws `unsupported_media`
 * for other codings, for two, and for words that are no coding.
 */
export function decompressorOf({ headers }: IncomingMessage): Transform | undefined {
  const words = (headers['content-encoding'] ?? '').toLowerCase().split(',');
  const codings = words.map((word) => word.trim()).filter((word) => word !== '' && word !== 'identity');
  const [coding, second] = codings;
  if (coding === undefined) return undefined;
  const decompressor = second === undefined ? createDecompressor(coding) : undefined;
  if (decompressor) return decompressor;
  const detail = 'Content-Encoding: send the body as gzip or deflate, or uncompressed, without this header.';
  throw new GatewayError('unsupported_media', detail);
}
