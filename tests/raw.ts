/** Raw sockets, for bytes that an HTTP client cannot send. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Service } from './gateway.ts';

/** Opens a connection to the gateway. */
export async function open({ url }: Service): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  return socket;
}

/** Sends the bytes. Resolves with everything received until the gateway closes the connection. */
export async function exchange(gateway: Service, bytes: string | Buffer): Promise<string> {
  const socket = await open(gateway);
  socket.write(bytes);
  return text(socket);
}
