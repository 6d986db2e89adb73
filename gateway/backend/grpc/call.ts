/**
 * One attempt at an RPC, on the connection that the balancer chooses. grpc-js makes and keeps the connections; its way of
 * calling copies each message once, a megabyte here, and takes as much time again as HTTP/2 itself.
 */
import { performance } from 'node:perf_hooks';
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { asError } from './failure.ts';
import { unframe } from './framing.ts';
import type { ModelServers } from './model-servers.ts';
import type { CallMark } from './server-load.ts';

export type Call = {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** The message behind its prefix; see framing.ts. */
  readonly framed: Buffer;
  /** End of the call in `performance.now()` milliseconds; the server is told the time that is left. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
};

/** gRPC's timeouts have eight digits at most: a day of milliseconds. */
const MAX_TIMEOUT_MS = 99_999_999;

/**
 * Makes the attempt and gives the answer's message. Rejects with gRPC's status as an Error (see `asError`): UNAVAILABLE
 * where no connection is ready, DEADLINE_EXCEEDED and CANCELLED (the signal) at once, and on the server too.
 */
export async function call(servers: ModelServers, rpc: Call, mark: CallMark): Promise<Buffer> {
  const { path, framed, signal } = rpc;
  const leftMs = Math.ceil(rpc.deadlineMs - performance.now());
  if (leftMs <= 0) throw asError(status.DEADLINE_EXCEEDED, 'the deadline had passed before the call was made');
  if (signal.aborted) throw asError(status.CANCELLED, 'cancelled before the call was made');
  const picked = servers.pick(mark);
  const subchannel = picked?.subchannel;
  if (!subchannel) throw asError(status.UNAVAILABLE, 'no connection to a model server is ready');
  const metadata = new Metadata();
  metadata.set('grpc-timeout', `${Math.min(leftMs, MAX_TIMEOUT_MS)}m`);

  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  let answer: Buffer | undefined;
  const end = ({ code, details, metadata }: StatusObject) => {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
    picked.onCallEnded?.(code, details, metadata);
    if (code !== status.OK) reject(asError(code, details));
    else if (answer) resolve(answer);
    else reject(asError(status.INTERNAL, 'the server ended the call without an answer'));
  };
  const listener = {
    onReceiveMetadata() {},
    onReceiveMessage(message: Buffer) {
      answer = message;
      stream.startRead();
    },
    onReceiveStatus: end,
  };
  const stream = open(() => subchannel.getRealSubchannel().createCall(metadata, servers.authority, path, listener, 0));
  picked.onCallStarted?.();
  const cancel = () => stream.cancelWithStatus(status.CANCELLED, 'cancelled by the gateway');
  const timer = setTimeout(() => stream.cancelWithStatus(status.DEADLINE_EXCEEDED, 'the deadline passed'), leftMs);
  signal.addEventListener('abort', cancel, { once: true });
  stream.startRead();
  stream.sendMessageWithContext({}, framed);
  stream.halfClose();
  return unframe(await promise);
}

/** A connection may end between the choice and the call. */
function open<Stream>(make: () => Stream): Stream {
  try {
    return make();
  } catch (cause) {
    throw asError(status.UNAVAILABLE, 'the connection ended before the call was made', cause);
  }
}
