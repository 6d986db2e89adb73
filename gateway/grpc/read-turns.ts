/**
 * Shares the event loop between connections. Node reads 64 KiB of one after the other in the same turn, and each may have
 * hundreds of calls: nothing else would be done for seconds.
 */
import type { Http2Server, Http2Session } from 'node:http2';
import type { Socket } from 'node:net';

/** Calls that arrive in one turn of the event loop before nothing more is read in it. Each takes Node 50 µs. */
const CALLS_OF_TURN = 16;
/** Until a client that takes no bytes is looked at again. */
const RETRY_MS = 20;

/** Node's HTTP/2 reads from the socket's handle, and the socket sees nothing of it. The handle has no public name. */
type Handle = { readStop(): void; readStart(): void; readonly writeQueueSize: number };

/**
 * When many calls have arrived in a turn of the event loop, pauses all connections. They go on in the next turn, those that the
 * many calls came on one after the other. `opened`: the event with the socket that calls arrive on.
 */
export function readInTurn(server: Http2Server, opened: 'connection' | 'secureConnection'): void {
  const turns = new ReadTurns();
  const sockets = new WeakMap<Http2Session, Socket>();
  // Node's own listener to this event creates the session, and emits it before it returns.
  server.prependListener(opened, (socket: Socket) => {
    turns.add(socket);
    server.once('session', (session) => sockets.set(session, socket));
  });
  server.on('stream', ({ session }) => {
    const socket = session && sockets.get(session);
    if (socket) turns.count(socket);
  });
}

class ReadTurns {
  readonly #reading = new Set<Socket>();
  readonly #paused = new Set<Socket>();
  /** Paused too, and the last to go on. */
  readonly #busy = new Set<Socket>();
  #calls = 0;
  #isDue = false;

  add(socket: Socket): void {
    this.#reading.add(socket);
    socket.once('close', () => {
      for (const sockets of [this.#reading, this.#paused, this.#busy]) sockets.delete(socket);
    });
  }

  count(socket: Socket): void {
    this.#calls += 1;
    if (this.#calls === CALLS_OF_TURN) this.#pauseAll(socket);
    if (!this.#isDue) setImmediate(() => this.#turn());
    this.#isDue = true;
  }

  #pauseAll(busy: Socket): void {
    for (const socket of this.#reading) {
      handleOf(socket)?.readStop();
      (socket === busy ? this.#busy : this.#paused).add(socket);
    }
    this.#reading.clear();
  }

  #turn(): void {
    this.#calls = 0;
    const [first] = this.#busy;
    const next = this.#paused.size > 0 || first === undefined ? [...this.#paused] : [first];
    const resumed = next.filter((socket) => this.#resume(socket));
    this.#isDue = this.#paused.size + this.#busy.size > 0;
    if (!this.#isDue) return;
    if (resumed.length > 0) setImmediate(() => this.#turn());
    else setTimeout(() => this.#turn(), RETRY_MS);
  }

  /** False while bytes wait for the client: Node reads nothing then, and goes on by itself when they are sent. */
  #resume(socket: Socket): boolean {
    const handle = handleOf(socket);
    if (handle && handle.writeQueueSize > 0) return false;
    this.#paused.delete(socket);
    this.#busy.delete(socket);
    this.#reading.add(socket);
    handle?.readStart();
    return true;
  }
}

/** Absent when the socket is closed. */
function handleOf(socket: Socket): Handle | null {
  return (socket as Socket & { readonly _handle: Handle | null })._handle;
}
