/** A connection to an image source, between its socket and Node's HTTP client. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { GatewayError } from '../errors.ts';
import { HeadReader } from './head-reader.ts';
import { MAX_HEAD_BYTES } from './response-head.ts';

/** Session tickets on one connection of TLS: each costs CPU time. Servers send two. */
const MAX_TICKETS = 16;

/** Events of the socket that Node's HTTP client and its agents listen to. */
const FORWARDED = ['connect', 'secureConnect', 'timeout'] as const;

/**
 * What one response may take on the wire: the body, its head and trailers, and a quarter for the sizes and extensions of
 * chunks.
 */
const maxWireBytes = (maxBodyBytes: number): number => 1.25 * maxBodyBytes + 4 * MAX_HEAD_BYTES;

/**
 * Passes a request on unchanged, and the head of its response as Node's parser takes it (`HeadReader`). It ends with
 * `source_failed` when a response takes much more on the wire than `maxBodyBytes`, and closes when bytes arrive that no
 * request asked for. It has those properties and methods of a socket that Node's HTTP client uses.
 */
export class SourceConnection extends Duplex {
  readonly #socket: Socket;
  readonly #maxBytes: number;
  /** Set from a request to the end of its response's head. */
  #head: HeadReader | undefined;
  #isIdle = true;
  #receivedBytes = 0;

  constructor(socket: Socket, maxBodyBytes: number) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#maxBytes = maxWireBytes(maxBodyBytes);
    let tickets = 0;
    socket.on('session', () => {
      if (++tickets > MAX_TICKETS) this.destroy(tooManyTickets());
    });
    for (const event of FORWARDED) socket.on(event, () => this.emit(event));
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#end());
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => {
      if (!socket.readableEnded) this.destroy();
    });
    // Node's HTTP client emits it at the end of a response, if the connection is kept.
    this.on('free', () => {
      this.#isIdle = true;
    });
  }

  #receive(chunk: Buffer): void {
    if (this.#isIdle) {
      this.destroy();
      return;
    }
    this.#receivedBytes += chunk.length;
    try {
      if (this.#receivedBytes > this.#maxBytes) throw tooLarge();
      const parts = this.#head ? this.#head.read(chunk) : [chunk];
      if (!parts) return;
      this.#head = undefined;
      const hasRoom = parts.filter(({ length }) => length > 0).map((part) => this.push(part));
      if (hasRoom.includes(false)) this.#socket.pause();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #end(): void {
    if (this.#head && this.#head.rest.length > 0) this.push(this.#head.rest);
    this.push(null);
    this.read(0); // emits the end when nothing is left to read
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#head = new HeadReader();
    this.#isIdle = false;
    this.#receivedBytes = 0;
    this.#socket.write(chunk, encoding, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#socket.closed) done(error);
    else this.#socket.once('close', () => done(error)).destroy();
  }

  get connecting(): boolean {
    return this.#socket.connecting;
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get timeout(): number | undefined {
    return this.#socket.timeout;
  }

  setTimeout(ms: number, listener?: () => void): this {
    this.#socket.setTimeout(ms);
    if (listener) ms === 0 ? this.off('timeout', listener) : this.once('timeout', listener);
    return this;
  }

  setKeepAlive(enable?: boolean, initialDelayMs?: number): this {
    this.#socket.setKeepAlive(enable, initialDelayMs);
    return this;
  }

  setNoDelay(noDelay?: boolean): this {
    this.#socket.setNoDelay(noDelay);
    return this;
  }

  ref(): this {
    this.#socket.ref();
    return this;
  }

  unref(): this {
    this.#socket.unref();
    return this;
  }
}

const tooLarge = () => new GatewayError('source_failed', "the source's answer has too many bytes beside its body");

const tooManyTickets = () =>
  new GatewayError('source_failed', `the source sends more than ${MAX_TICKETS} session tickets of TLS`);
