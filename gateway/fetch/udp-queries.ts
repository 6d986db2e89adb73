/** DNS queries over UDP to one name server (RFC 1035, 4.2.1). */
import dgram from 'node:dgram';
import { isIPv6 } from 'node:net';
import { type Answer, readAnswer } from './dns-message.ts';
import { unlessAborted } from './wait.ts';

/**
 * A socket costs more than a query, so queries at the same time share one. After so many the next one is opened, with
 * another random port, which a forged answer has to guess besides the query's id.
 */
const QUERIES_PER_SOCKET = 64;

type Pending = {
  readonly query: Buffer;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
};

export class UdpQueries {
  readonly #host: string;
  readonly #port: number;
  #shared: SharedSocket | undefined;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  /** Resolves with the server's answer. Waits until the signal aborts, or the network reports an error. */
  async ask(query: Buffer, signal: AbortSignal): Promise<Answer> {
    if (!this.#shared || this.#shared.isSpent) this.#shared = new SharedSocket(this.#host, this.#port);
    return this.#shared.ask(query, signal);
  }
}

/** It is connected: the kernel drops what comes from others. It closes when no query waits any more. */
class SharedSocket {
  readonly #socket: dgram.Socket;
  readonly #pending = new Set<Pending>();
  #isConnected = false;
  #isClosed = false;
  #count = 0;

  constructor(host: string, port: number) {
    this.#socket = dgram.createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    this.#socket.on('error', (error) => this.#pending.forEach(({ reject }) => void reject(error)));
    this.#socket.on('message', (message) => this.#receive(message));
    this.#socket.once('connect', () => {
      this.#isConnected = true;
      for (const { query } of this.#pending) this.#socket.send(query);
    });
    this.#socket.connect(port, host);
  }

  get isSpent(): boolean {
    return this.#isClosed || this.#count >= QUERIES_PER_SOCKET;
  }

  async ask(query: Buffer, signal: AbortSignal): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const pending = { query, resolve, reject };
    this.#pending.add(pending);
    this.#count += 1;
    if (this.#isConnected) this.#socket.send(query);
    try {
      return await unlessAborted(signal, promise);
    } finally {
      this.#pending.delete(pending);
      this.#closeIfIdle();
    }
  }

  #receive(message: Buffer): void {
    for (const { query, resolve } of this.#pending) {
      const answer = readAnswer(message, query);
      if (answer) resolve(answer);
    }
  }

  #closeIfIdle(): void {
    if (this.#pending.size > 0 || this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }
}
