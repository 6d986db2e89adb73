/**
 * Bounds the heads (request line and headers) of requests that have not arrived completely, of all connections together. The
 * head of a request stays in memory until the answer, so one whose body is missing counts as well.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { firstUnanswered } from './pipelining.ts';

/**
 * Headers of one request, as in Envoy. Each is two strings of at least 20 bytes: 2,000 tiny ones would take ten times as much
 * memory as they have bytes.
 */
export const MAX_HEADERS = 100;
/** As sent. As strings and objects, heads of so few headers take up to three times as much memory. */
export const MAX_HEADS_BYTES = 4 * 2 ** 20;
const CHECK_MS = 100;

/**
 * Closes connections whose request is incomplete while the heads of such requests have more bytes than `maxBytes` together.
 * It begins with the connection that was opened or answered first. `opened`: the event with the socket that requests
 * arrive on.
 */
export function boundHeads(
  server: Server,
  opened: 'connection' | 'secureConnection',
  maxBytes: number = MAX_HEADS_BYTES,
): Server {
  /** What each connection had sent when it was opened or answered. */
  const before = new Map<Socket, number>();
  const headBytes = new WeakMap<IncomingMessage, number>();
  function check(): void {
    const heads = [...before]
      .map(([socket, bytes]) => ({ socket, bytes, request: firstUnanswered(socket)?.request }))
      // A refused client may go on sending after its connection was ended (linger.ts): that is no head.
      .filter(({ socket, request }) => !request?.complete && socket.writable)
      .map(({ socket, bytes, request }) => ({
        socket,
        bytes: (request && headBytes.get(request)) ?? socket.bytesRead - bytes,
      }))
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
  return server.on('request', (request, response) => {
    const { socket } = request;
    headBytes.set(request, lengthOf(request));
    response.once('close', () => {
      if (before.delete(socket)) before.set(socket, socket.bytesRead);
    });
  });
}

/** The bytes of a complete head, about. */
function lengthOf({ url = '', rawHeaders }: IncomingMessage): number {
  return rawHeaders.reduce((sum, { length }) => sum + length + 2, url.length);
}
