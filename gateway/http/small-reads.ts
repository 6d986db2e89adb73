/**
 * Parses what a connection sends in small parts. Node reads up to 64 KiB at once and parses all of it before anything else
 * can stop it: as chunks of one byte these are 10,000 pieces, which take 10 ms.
 */
import type { Socket } from 'node:net';
import { override } from './override.ts';

/** At most 340 pieces, or 45 pipelined requests. A body of 100 kB takes 70 µs longer than in reads of 64 KiB. */
const READ_BYTES = 2048;

/** Hands on each read of the socket as reads of at most 2 KiB. What is left when the socket is destroyed is dropped. */
export function readInSmallParts(socket: Socket): void {
  const { push } = socket;
  override(socket, {
    push(bytes: Buffer | null, encoding) {
      if (bytes === null || bytes.length <= READ_BYTES) return push.call(socket, bytes, encoding);
      let wantsMore = true;
      for (let from = 0; from < bytes.length && !socket.destroyed; from += READ_BYTES)
        wantsMore = push.call(socket, bytes.subarray(from, from + READ_BYTES), encoding);
      return wantsMore;
    },
  });
  // Without a listener Node's parser takes the bytes from the system, and the socket never sees them.
  socket.on('data', () => undefined);
}
