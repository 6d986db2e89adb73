/**
 * Bounds the pieces in which a body arrives. Each takes Node a microsecond, and 170 bytes until the body is read, whatever
 * its size.
 */
import type { IncomingMessage } from 'node:http';
import { override } from './override.ts';

/** Pieces that do not count. A client that writes JSON value by value sends a hundred for a record. */
export const FREE_PIECES = 256;
/** Bytes of each further piece, on average. */
export const MIN_PIECE_BYTES = 128;

/** Calls `refuse` once if the body has too many pieces. What arrives from then on is dropped. */
export function boundPieces(request: IncomingMessage, refuse: () => void): void {
  const { push } = request;
  let pieces = 0;
  let bytes = 0;
  let isRefused = false;
  override(request, {
    push(piece: Buffer | null, encoding) {
      if (isRefused) return false;
      pieces += 1;
      bytes += piece?.length ?? 0;
      if (pieces <= FREE_PIECES + bytes / MIN_PIECE_BYTES) return push.call(request, piece, encoding);
      isRefused = true;
      refuse();
      return false;
    },
  });
}
