/** One unary RPC: bytes in, bytes out, with a deadline, a signal, and a quick answer where no server is connected. */
import { performance } from 'node:perf_hooks';
import { type Client, connectivityState, Metadata, status } from '@grpc/grpc-js';
import { failure } from './failure.ts';

/**
 * How long a call waits for a connection that is being made: servers end connections of a certain age, and a busy machine
 * takes a while to make the next one. Much more, and an outage piles requests up.
 */
const CONNECT_PATIENCE_MS = 300;

export type Rpc = {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly request: Buffer;
  /** End of the call in `performance.now()` milliseconds; the server is told the time that is left. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
};

/** Told once how each RPC ended, retries included: the method's name and gRPC's name of the status. */
export type OnStatus = (method: string, code: string) => void;

export type Unary = (rpc: Rpc) => Promise<Buffer>;

/**
 * Makes the function that sends RPCs of a client. It gives the answer's bytes, or throws the GatewayError of the status
 * (see failure.ts): within a third of a second where no server is connected, and at once when the signal is aborted,
 * which cancels the call on the server too.
 */
export function createUnary(client: Client, onStatus: OnStatus): Unary {
  return async (rpc) => {
    const { signal, path } = rpc;
    const method = path.slice(path.lastIndexOf('/') + 1);
    const connected = await isConnected(client);
    if (signal.aborted) throw failure({ code: status.CANCELLED, details: '', signal }, signal.reason);
    if (!connected) {
      onStatus(method, 'UNAVAILABLE');
      throw failure({ code: status.UNAVAILABLE, details: '', signal }, new Error('no model server is connected'));
    }
    return send(client, rpc, (code) => onStatus(method, status[code]));
  };
}

async function isConnected(client: Client): Promise<boolean> {
  const channel = client.getChannel();
  const giveUpMs = performance.now() + CONNECT_PATIENCE_MS;
  let state = channel.getConnectivityState(false);
  if (state === connectivityState.READY || state === connectivityState.SHUTDOWN)
    return state === connectivityState.READY;
  // Asks for a connection, which would bring a closed channel back to life.
  channel.getConnectivityState(true);
  while ((state === connectivityState.IDLE || state === connectivityState.CONNECTING) && performance.now() < giveUpMs) {
    await changed(channel, state, giveUpMs);
    state = channel.getConnectivityState(false);
  }
  return state === connectivityState.READY;
}

/** Resolves when the channel leaves the state, or at the given time of `performance.now()`. */
function changed(channel: ReturnType<Client['getChannel']>, state: connectivityState, giveUpMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // Not at once: on a busy event loop the timer is seen before the connection that was made in time.
  channel.watchConnectivityState(state, wallClock(giveUpMs), () => setImmediate(resolve));
  return promise;
}

function send(client: Client, rpc: Rpc, onCode: (code: status) => void): Promise<Buffer> {
  const { path, request, signal } = rpc;
  const deadline = wallClock(rpc.deadlineMs);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const call = client.makeUnaryRequest(path, asIs, asIs, request, new Metadata(), { deadline }, (error, answer) => {
    signal.removeEventListener('abort', cancel);
    onCode(error?.code ?? status.OK);
    if (error) reject(failure({ code: error.code, details: error.details, signal }, error));
    else resolve(answer ?? Buffer.alloc(0));
  });
  const cancel = () => call.cancel();
  signal.addEventListener('abort', cancel);
  return promise;
}

/** grpc-js takes deadlines in wall-clock time and turns them into timers at once, so a later jump of the clock does no harm. */
function wallClock(atMs: number): number {
  return Date.now() + Math.max(0, atMs - performance.now());
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
