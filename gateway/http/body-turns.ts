/** Shares the event loop between bodies. Otherwise Node reads up to 2 MB of each connection before it goes on to the next. */
import type { IncomingMessage } from 'node:http';
import { createLoopQueue } from '../domain/loop-queue.ts';
import { override } from './override.ts';

/** Read without a turn. A body with the URL of an image is smaller. */
const FREE_BYTES = 16 * 1024;

const inTurn = createLoopQueue();

/** After each read of the system, 64 KiB at most, this body waits until all others that wait were read once. */
export function readInTurn(request: IncomingMessage): void {
  const { push, _read: read } = request;
  let bytes = 0;
  let isWaiting = false;
  override(request, {
    push(piece: Buffer | null, encoding) {
      bytes += piece?.length ?? 0;
      return push.call(request, piece, encoding) && bytes < FREE_BYTES;
    },
    _read(size) {
      if (bytes < FREE_BYTES) return read.call(request, size);
      if (isWaiting) return;
      isWaiting = true;
      inTurn(() => {
        isWaiting = false;
        bytes = 0;
        if (!request.destroyed) read.call(request, size);
      });
    },
  });
}
