/** Bodies that arrive before their handler reads them. */
import type { IncomingMessage } from 'node:http';
import { BodyBuffer } from '../door/body-buffer.ts';
import { ByteBudget } from '../machine/byte-budget.ts';
import { override } from './override.ts';

/** Bytes kept of a body. Beyond them its connection is paused, after the 64 KiB that Node has read. */
const ENOUGH_BYTES = 16 * 1024;
const MAX_BYTES = 256 * 1024;
/** For all such bodies together. */
export const MAX_UNREAD_BYTES = 16 * 2 ** 20;

const ofAll = new ByteBudget(MAX_UNREAD_BYTES);

/**
 * Keeps a body in one piece until it is read: while the request waits for the one before it, or for the counts of its rate
 * limit. Closes the connection where that does not fit into the budget.
 */
export function joinUnread(request: IncomingMessage, budget: ByteBudget = ofAll): void {
  const { push, _read: read } = request;
  const share = budget.open();
  let unread: BodyBuffer | undefined;
  let isRead = false;
  const take = (bytes: number) => {
    if (!share.take(bytes)) request.destroy();
  };
  const flush = () => {
    const bytes = unread?.bytes();
    unread = undefined;
    share.release();
    if (bytes) push.call(request, bytes);
  };
  override(request, {
    push(piece: Buffer | null, encoding) {
      if (piece === null) flush();
      if (piece === null || isRead) return push.call(request, piece, encoding);
      unread ??= new BodyBuffer(MAX_BYTES, take);
      if (unread.length + piece.length > MAX_BYTES) request.destroy();
      if (!request.destroyed) unread.append(piece);
      return unread.length < ENOUGH_BYTES;
    },
    _read(size) {
      isRead = true;
      flush();
      read.call(request, size);
    },
  });
  request.once('close', share.release);
}
