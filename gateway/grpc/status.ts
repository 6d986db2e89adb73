/** How a call ends, as gRPC over HTTP/2 sends it: the trailers grpc-status and grpc-message. */
import { status } from '@grpc/grpc-js';

/** Clients bound the size of trailers, to 8 kB at least. */
const MAX_MESSAGE_BYTES = 2048;

export type Trailers = { readonly 'grpc-status': string; readonly 'grpc-message'?: string };

export const OK: Trailers = { 'grpc-status': String(status.OK) };

export function failed(name: keyof typeof status, text: string): Trailers {
  return { 'grpc-status': String(status[name]), 'grpc-message': percentEncoded(text) };
}

/**
 * The Status-Message of "gRPC over HTTP/2": UTF-8, with all bytes but printable ASCII as %XX, and the percent sign too. So is
 * a space at an end, which HTTP/2 does not allow there (RFC 9113, 8.2.1).
 */
function percentEncoded(text: string): string {
  let encoded = '';
  const bytes = Buffer.from(text);
  for (const [at, byte] of bytes.entries()) {
    const isAtEnd = at === 0 || at === bytes.length - 1;
    const isPlain = byte >= (isAtEnd ? 0x21 : 0x20) && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    if (encoded.length > MAX_MESSAGE_BYTES) break;
  }
  return encoded;
}
