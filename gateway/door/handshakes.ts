/** Connections whose TLS handshake is not complete. They take a place, and nothing else knows of them yet. */
import type { Server, Socket } from 'node:net';

/** Handshakes at once that are no sign of an attack. */
const USUAL = 16;

export class Handshakes {
  /** By the address and port of the client: TLS makes another socket for each connection. */
  readonly #open = new Map<string, Socket>();

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      const client = clientOf(socket);
      this.#open.set(client, socket);
      socket.once('close', () => this.#open.delete(client));
    });
    server.on('secureConnection', (socket: Socket) => this.#open.delete(clientOf(socket)));
  }

  /** Closes the oldest. False where there are not more than usual. */
  closeOldest(): boolean {
    if (this.#open.size <= USUAL) return false;
    const [[client, socket] = []] = this.#open;
    if (client === undefined) return false;
    this.#open.delete(client);
    socket?.destroy();
    return true;
  }
}

const clientOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
