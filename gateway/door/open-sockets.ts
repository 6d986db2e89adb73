/** The connections of a server, in whatever state they are. */
import type { Server, Socket } from 'node:net';

/**
 * Follows the connections of a server. Returns what closes all of them. Node's own `closeAllConnections` and the sessions of
 * HTTP/2 leave out connections whose TLS handshake is not complete.
 */
export function followSockets(server: Server): () => void {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return () => {
    for (const socket of open) socket.destroy();
  };
}
