/**
 * One attempt at an RPC, on the connection that the balancer chooses. grpc-js makes and keeps the connections. Its own
 * call API is bypassed: it copies each message once, here over a megabyte, and doubles the time of HTTP/2 itself.
 */
import { performance } from 'node:perf_hooks';
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import type { Span } from '../../domain/span.ts';
import { type Trace, traceparentOf } from '../../domain/trace.ts';
import type { AnswerMemory } from './answer-memory.ts';
import { statusError } from './failure.ts';
import type { ModelServers } from './model-servers.ts';
import { receivedStatus } from './received-status.ts';
import { ResponseMessage } from './response-message.ts';

export type Rpc = {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** The message with its prefix; see framing.ts. */
  readonly framed: Buffer;
  /** The largest message that the server may send. */
  readonly maxResponseBytes: number;
  /** Counts the message, until it is released. Unset for look-ups, whose answers are small. */
  readonly memory?: AnswerMemory | undefined;
  /** End of the call in `performance.now()` milliseconds; the server is sent the time left. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** The trace that the call belongs to. Unset for look-ups. */
  readonly trace?: Trace | undefined;
  /** What the call is told to, where the trace is recorded. */
  readonly span?: Span | undefined;
  /** The model of a Predict. Unset for a look-up, whose response time is no measure of the server. */
  readonly model?: string | undefined;
  /** The only servers that the call may go to, by their addresses. Unset: any. */
  readonly only?: ReadonlySet<string> | undefined;
};

/** gRPC's timeouts have eight digits at most: about a day in milliseconds. */
const MAX_TIMEOUT_MS = 99_999_999;

/**
 * Makes the attempt and returns the response's message. `callId` is the same for all attempts of one call. Rejects with
 * gRPC's status as an Error (see `statusError`): UNAVAILABLE if no connection is ready, DEADLINE_EXCEEDED and CANCELLED
 * (an aborted signal) at once, and the server is told. Rejects with the GatewayError of AnswerMemory where that has no room.
 */
export async function call(servers: ModelServers, rpc: Rpc, callId: string | undefined): Promise<Buffer> {
  const { path, framed, signal, model, only } = rpc;
  const leftMs = Math.ceil(rpc.deadlineMs - performance.now());
  if (leftMs <= 0) throw statusError(status.DEADLINE_EXCEEDED, 'the deadline passed before the call was made');
  if (signal.aborted) throw statusError(status.CANCELLED, 'cancelled before the call was made');
  const picked = servers.pick({ model, callId, only });
  const subchannel = picked?.subchannel;
  if (!subchannel) throw statusError(status.UNAVAILABLE, 'no connection to a model server is ready');
  const metadata = new Metadata();
  metadata.set('grpc-timeout', `${Math.min(leftMs, MAX_TIMEOUT_MS)}m`);
  if (rpc.trace) setTrace(metadata, rpc.trace);
  rpc.span?.addEvent('attempt', { 'network.peer.address': subchannel.getAddress() });

  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  let response: Buffer | undefined;
  const message = new ResponseMessage(rpc.maxResponseBytes, rpc.memory);
  const end = ({ metadata, ...ended }: StatusObject) => {
    const { fault } = message;
    // grpc-js ends a call with the text of the fault, or with the HTTP status if that is not 200.
    const { code, details } = fault?.details === ended.details ? fault : receivedStatus(ended);
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
    // A server whose answer has no room here has done its work.
    picked.onCallEnded?.(fault?.refusal ? status.OK : code, details, metadata);
    if (code === status.OK && response) return resolve(response);
    message.giveBack();
    if (fault?.refusal) reject(fault.refusal);
    else if (code !== status.OK) reject(statusError(code, details));
    else reject(statusError(status.INTERNAL, 'the server ended the call without a response'));
  };
  const listener = {
    onReceiveMetadata: (headers: Metadata) => message.expect(headers),
    onReceiveMessage(received: Buffer) {
      response = received;
      stream.startRead();
    },
    onReceiveStatus: end,
  };
  const stream = open(() => subchannel.getRealSubchannel().createCall(metadata, servers.authority, path, listener, 0));
  message.takeOver(stream);
  picked.onCallStarted?.();
  const cancel = () => stream.cancelWithStatus(status.CANCELLED, 'cancelled by the gateway');
  const timer = setTimeout(() => stream.cancelWithStatus(status.DEADLINE_EXCEEDED, 'the deadline passed'), leftMs);
  signal.addEventListener('abort', cancel, { once: true });
  stream.startRead();
  stream.sendMessageWithContext({}, framed);
  stream.halfClose();
  return promise;
}

function setTrace(metadata: Metadata, trace: Trace): void {
  metadata.set('traceparent', traceparentOf(trace));
  if (trace.state !== undefined) metadata.set('tracestate', trace.state);
}

/** Opens the stream. The connection may have ended since it was chosen. */
function open<Stream>(createStream: () => Stream): Stream {
  try {
    return createStream();
  } catch (cause) {
    throw statusError(status.UNAVAILABLE, 'the connection ended before the call was made', cause);
  }
}
