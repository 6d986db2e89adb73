/** Bounds the heads of requests that have not arrived completely, of all connections together. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { firstUnanswered } from './pipelining.ts';

/** As sent. As strings of two letters, heads take ten times as much memory. */
export const MAX_HEADS_BYTES = 4 * 2 ** 20;
const CHECK_MS = 100;

/**
 * Closes connections whose head is incomplete while such heads have more bytes than `maxBytes` together. It begins with
 * the connection that was opened or answered first. `opened`: the event with the socket that requests arrive on.
 */
export function boundHeads(
  server: Server,
  opened: 'connection' | 'secureConnection',
  maxBytes: number = MAX_HEADS_BYTES,
): Server {
  /** What each connection had sent when it was opened or answered. */
  const before = new Map<Socket, number>();
  function check(): void {
    const heads = [...before]
      // A refused client may go on sending after its connection was ended (linger.ts): that is no head.
      .filter(([socket]) => firstUnanswered(socket) === undefined && socket.writable)
      .map(([socket, bytes]) => ({ socket, bytes: socket.bytesRead - bytes }))
      .filter(({ bytes }) => bytes > 0);
    let total = heads.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { socket, bytes } of heads) {
      if (total <= maxBytes) return;
      total -= bytes;
      socket.destroy();
    }
  }
  const timer = setInterval(check, CHECK_MS).unref();
  server.once('close', () => clearInterval(timer));
  server.on(opened, (socket: Socket) => {
    before.set(socket, socket.bytesRead);
    socket.once('close', () => before.delete(socket));
  });
  return server.on('request', ({ socket }, response) => {
    response.once('close', () => {
      if (before.delete(socket)) before.set(socket, socket.bytesRead);
    });
  });
}
