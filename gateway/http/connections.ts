/** Bounds the open connections of a server. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Handshakes } from '../door/handshakes.ts';
import { boundSockets } from '../door/open-sockets.ts';
import { firstUnanswered } from './pipelining.ts';

/** Connections that no other one has made room for. */
const surplus = new WeakSet<Socket>();

/** Whether the connection is above the limit. Its request is refused, and it is closed. */
export const isSurplus = (socket: Socket): boolean => surplus.has(socket);

/**
 * Lets `max` connections be open. A new one above it takes the place of the oldest TLS handshake, where more than a few are
 * on their way, else of the one that has waited longest for a request, or for the rest of one. If all wait for their
 * answers, it is surplus, and a further one is closed. `opened`: the event with the socket that requests arrive on.
 */
export function boundConnections(server: Server, max: number, opened: 'connection' | 'secureConnection'): Server {
  /** In the order in which they were opened or answered last. */
  const sockets = new Set<Socket>();
  const handshakes = opened === 'secureConnection' ? new Handshakes(server) : undefined;
  function closeOne(): void {
    if (handshakes?.closeOldest()) return;
    const newest = [...sockets].at(-1);
    for (const socket of sockets) {
      if (surplus.has(socket) || firstUnanswered(socket)?.request.complete) continue;
      if (socket === newest) return void surplus.add(socket);
      sockets.delete(socket);
      socket.destroy();
      return;
    }
  }
  server.on(opened, (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    response.once('close', () => {
      if (sockets.delete(socket)) sockets.add(socket);
    });
  });
  boundSockets(server, max, closeOne);
  return server;
}
