/**
 * What arrives of a body before it is read: while the request waits for the one before it, or for the counts of its rate
 * limit. Node keeps every piece as an object of 170 bytes, up to 64 KiB of content: 11 MB of chunks of one byte.
 */
import type { IncomingMessage } from 'node:http';
import { BodyBuffer } from '../door/body-buffer.ts';
import { ByteBudget } from '../machine/byte-budget.ts';

/** For one body. Then its connection is not read any more, after the 64 KiB that are being parsed. */
const ENOUGH_BYTES = 16 * 1024;
const MAX_BYTES = 128 * 1024;
/** For the bodies of all requests. */
export const MAX_UNREAD_BYTES = 16 * 2 ** 20;

const ofAll = new ByteBudget(MAX_UNREAD_BYTES);

/** Keeps the body in one piece until it is read. Closes the connection where it does not fit into the budget. */
export function keepUnreadTogether(request: IncomingMessage, budget: ByteBudget = ofAll): void {
  const { push, _read: read } = request;
  let unread: BodyBuffer | undefined;
  const share = budget.open();
  const pushUnread = () => {
    const bytes = unread?.bytes();
    unread = undefined;
    share.release();
    if (bytes && bytes.length > 0) push.call(request, bytes);
  };
  request.push = (piece: Buffer | null, encoding) => {
    // Null before the first reader.
    if (piece === null || request.readableFlowing !== null) {
      if (unread) pushUnread();
      return push.call(request, piece, encoding);
    }
    unread ??= new BodyBuffer(MAX_BYTES, (bytes) => {
      if (!share.take(bytes)) request.destroy();
    });
    if (!request.destroyed) unread.append(piece);
    return unread.length < ENOUGH_BYTES;
  };
  request._read = (size) => {
    pushUnread();
    read.call(request, size);
  };
  request.once('close', share.release);
}
