/** Listening on a port, with several sockets: libuv accepts one connection of each in a turn of the event loop. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type ListenOptions, type Server, Server as TcpServer } from 'node:net';

/** Linux gives each connection to one of the sockets that share a port (SO_REUSEPORT). Elsewhere that is not so, or fails. */
const CAN_SHARE = process.platform === 'linux';
/** Connections that wait to be accepted. Of more the kernel drops the first packet, and the client waits 1 or 3 s. */
const BACKLOG = 4096;

type Address = { readonly host: string; readonly port: number };

/** The further listeners of a server. */
const furtherOf = new WeakMap<Server, readonly Server[]>();

/**
 * Listens; port 0 takes a free one. `sockets`: how many, on Linux. Their connections are given to the server, whose
 * `maxConnections` does not count them: boundSockets does. Rejects with Node's error, such as EADDRINUSE.
 */
export async function listen(server: Server, { host, port }: Address, sockets = 1): Promise<void> {
  if (sockets === 1 || !CAN_SHARE) return await open(server, { host, port });
  // Sockets of this user that share a port would share it with those of another gateway too.
  if (port !== 0) await requireFree({ host, port });
  await open(server, { host, port, reusePort: true });
  const shared = { host, port: (server.address() as AddressInfo).port, reusePort: true };
  const further = Array.from({ length: sockets - 1 }, () =>
    createServer({ allowHalfOpen: true, noDelay: true }, (socket) => server.emit('connection', socket)),
  );
  furtherOf.set(server, further);
  await Promise.all(further.map((listener) => open(listener, shared)));
}

/**
 * Accepts no more connections. Calls `onClosed` when the last one has closed. Unlike http.Server.close() it leaves idle
 * connections open.
 */
export function stopListening(server: Server, onClosed: () => void): void {
  const listeners = [server, ...(furtherOf.get(server) ?? [])];
  let left = listeners.length;
  const onOneClosed = () => {
    left -= 1;
    if (left === 0) onClosed();
  };
  for (const listener of listeners) TcpServer.prototype.close.call(listener, onOneClosed);
}

async function requireFree(address: Address): Promise<void> {
  const probe = createServer();
  await open(probe, address);
  await once(probe.close(), 'close');
}

async function open(server: Server, options: ListenOptions): Promise<void> {
  await once(server.listen({ ...options, backlog: BACKLOG }), 'listening');
}
