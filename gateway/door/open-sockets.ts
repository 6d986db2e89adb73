/** The connections of a server, in whatever state they are. */
import type { Server, Socket } from 'node:net';
import { spareConnections } from '../domain/spare-connections.ts';

/**
 * Follows the connections of a server. Returns what closes all of them. Node's own `closeAllConnections` and the sessions of
 * HTTP/2 leave out connections whose TLS handshake is not complete.
 */
export function followSockets(server: Server): () => void {
  const open = openSocketsOf(server);
  return () => {
    for (const socket of open) socket.destroy();
  };
}

/**
 * Lets `max` connections be open, and a few more for a moment: `makeRoom` is called for each above `max`. One above these
 * is closed. Node's own `maxConnections` does not count connections of further sockets (listen.ts).
 */
export function boundSockets(server: Server, max: number, makeRoom: () => void): void {
  const open = openSocketsOf(server);
  const most = max + spareConnections(max);
  server.on('connection', (socket: Socket) => {
    if (open.size > max) makeRoom();
    if (open.size > most) socket.destroy();
  });
}

const followed = new WeakMap<Server, ReadonlySet<Socket>>();

function openSocketsOf(server: Server): ReadonlySet<Socket> {
  const known = followed.get(server);
  if (known) return known;
  const open = new Set<Socket>();
  followed.set(server, open);
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return open;
}
