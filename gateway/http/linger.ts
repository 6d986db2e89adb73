/**
 * Keeps a connection open after an early answer, while the client still sends: what it sends is read and dropped, within
 * bounds. If the connection closed at once, TCP would reset it, and the client would see a broken pipe instead of the
 * answer (RFC 9112, 9.6). Python's urllib and requests read no answer before they have sent everything.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createLoopQueue } from '../domain/loop-queue.ts';

const inTurn = createLoopQueue();

/** nginx's lingering_timeout and lingering_time. */
const MAX_IDLE_MS = 5000;
const MAX_MS = 30_000;
export const MAX_LINGER_BYTES = 256 * 2 ** 20;

/** Ends a response when its request has arrived completely. Its answer, of a known length, is already written. */
export function endAfterRequest(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request;
  const bounds = boundRest(socket, () => {
    response.end();
    socket.destroySoon();
  });
  request.on('data', bounds.onMore).once('end', () => response.end());
  response.once('close', bounds.stop);
  request.resume();
}

/** Destroys an ended socket when its peer stops sending. */
export function closeAfterPeer(socket: Socket): void {
  const bounds = boundRest(socket, () => socket.destroy());
  socket.once('close', bounds.stop).on('data', () => {
    bounds.onMore();
    socket.pause();
    inTurn(() => socket.resume());
  });
}

/** Calls `close` once, when nothing has arrived for a while, or too much, or for too long. */
function boundRest(socket: Socket, close: () => void) {
  const maxBytesRead = socket.bytesRead + MAX_LINGER_BYTES;
  let isStopped = false;
  const stop = () => {
    isStopped = true;
    clearTimeout(idle);
    clearTimeout(total);
  };
  const over = () => {
    stop();
    close();
  };
  const idle = setTimeout(over, MAX_IDLE_MS);
  const total = setTimeout(over, MAX_MS);
  return {
    onMore() {
      if (isStopped) return;
      if (socket.bytesRead > maxBytesRead) over();
      else idle.refresh();
    },
    stop,
  };
}
