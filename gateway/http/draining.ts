/** How an HTTP server stops without losing a request. */
import type { Server } from 'node:http';
import type { Drainable } from '../door/lifecycle.ts';
import { stopListening } from '../door/listen.ts';
import { followSockets } from '../door/open-sockets.ts';

/** A server as the lifecycle drains it. */
export function drainable(server: Server): Drainable {
  const closeSockets = followSockets(server);
  return {
    onRequest: (listener) => void server.on('request', (_request, response) => listener(response)),
    /**
     * http.Server.close() would also close idle connections, and lose a request that a client has just sent on one. Here
     * such a request is answered, and its answer closes the connection.
     */
    stop: (onClosed) => stopListening(server, onClosed),
    close() {
      stopListening(server, () => undefined);
      server.close();
      server.closeAllConnections();
      closeSockets();
    },
  };
}
