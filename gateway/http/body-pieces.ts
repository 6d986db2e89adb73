/**
 * Joins the pieces in which a body arrives. Node makes an object of 170 bytes of each piece, and keeps up to 64 KiB of
 * content until the body is read: 11 MB of chunks of one byte. Through its streams a piece also takes twice the time.
 */
import type { IncomingMessage } from 'node:http';
import { BodyBuffer } from '../door/body-buffer.ts';
import { ByteBudget } from '../machine/byte-budget.ts';
import { countPiece } from './reading-turns.ts';

/** Smaller pieces are joined with all others of the same turn of the event loop. */
const SMALL_BYTES = 1024;
/** Bytes kept of a body before its handler reads it. Beyond them its connection is paused, after the 64 KiB being parsed. */
const ENOUGH_BYTES = 16 * 1024;
const MAX_BYTES = 256 * 1024;
/** For the joined pieces of all requests together. */
export const MAX_JOINED_BYTES = 16 * 2 ** 20;

const ofAll = new ByteBudget(MAX_JOINED_BYTES);

/**
 * Until the body is read it stays in one piece: while the request waits for the one before it, or for the counts of its rate
 * limit. Closes the connection where that does not fit into the budget. Small pieces count for the turns of connections.
 */
export function joinPieces(request: IncomingMessage, budget: ByteBudget = ofAll): void {
  const { push, _read: read } = request;
  const share = budget.open();
  let joined: BodyBuffer | undefined;
  let isRead = false;
  const take = (bytes: number) => {
    if (!share.take(bytes)) request.destroy();
  };
  const flush = () => {
    const bytes = joined?.bytes();
    joined = undefined;
    share.release();
    if (bytes) push.call(request, bytes);
  };
  const join = (piece: Buffer): boolean => {
    if (isRead && !joined) setImmediate(flush);
    joined ??= new BodyBuffer(MAX_BYTES, take);
    if (joined.length + piece.length > MAX_BYTES) request.destroy();
    if (!request.destroyed) joined.append(piece);
    return isRead || joined.length < ENOUGH_BYTES;
  };
  request.push = (piece: Buffer | null, encoding) => {
    if (piece !== null) countPiece(request.socket, piece.length < SMALL_BYTES);
    if (piece !== null && (!isRead || piece.length < SMALL_BYTES)) return join(piece);
    if (joined) flush();
    return push.call(request, piece, encoding);
  };
  request._read = (size) => {
    isRead = true;
    flush();
    read.call(request, size);
  };
  request.once('close', share.release);
}
