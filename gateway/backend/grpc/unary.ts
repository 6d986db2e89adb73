/** Unary RPCs: bytes in, bytes out, with a deadline, retries, hedging and a quick failure if no server is connected. */
import { performance } from 'node:perf_hooks';
import { connectivityState, status } from '@grpc/grpc-js';
import { GatewayError } from '../../errors.ts';
import { type ExtraAttempt, hedge, retryUnavailable } from './attempts.ts';
import { call, type Rpc } from './call.ts';
import { type Status, statusError, toGatewayError } from './failure.ts';
import type { ModelServers } from './model-servers.ts';
import { RetryBudget } from './retry-budget.ts';

/**
 * How long a call waits for a connection. Servers close connections of a certain age, and a busy machine takes a while
 * to open the next one. With a longer wait, requests would pile up in an outage.
 */
const CONNECT_TIMEOUT_MS = 300;

/** Called once per RPC, retries included, with the method's name and gRPC's name of the final status. */
export type OnStatus = (method: string, code: string) => void;

export type UnaryOptions = {
  /** A prediction without a response after this time is also sent to a second server; undefined: never. */
  readonly hedgeAfterMs?: number | undefined;
  readonly onExtraAttempt?: ((reason: ExtraAttempt) => void) | undefined;
};

export type Unary = (rpc: Rpc) => Promise<Buffer>;

/**
 * Makes the function that sends a client's RPCs. It returns the response's message or throws the GatewayError of the
 * status (see failure.ts): within a third of a second if no server is connected, at once if the signal is aborted,
 * which also cancels the call on the server.
 */
export function createUnary(servers: ModelServers, onStatus: OnStatus, options: UnaryOptions = {}): Unary {
  const send = createSend(servers, options);
  return async (rpc) => {
    const { signal, path, span } = rpc;
    const method = path.slice(path.lastIndexOf('/') + 1);
    span?.setAttributes({
      'rpc.system.name': 'grpc',
      'rpc.method': path.slice(1),
      'tensorgate.request_bytes': rpc.framed.length,
    });
    const connected = await waitForConnection(servers);
    if (signal.aborted) throw toGatewayError({ code: status.CANCELLED, details: '' }, signal, signal.reason);
    try {
      if (!connected) throw statusError(status.UNAVAILABLE, 'no model server is connected');
      const response = await send(rpc);
      onStatus(method, 'OK');
      span?.setAttributes({ 'rpc.status_code': 'OK', 'tensorgate.response_bytes': response.length });
      return response;
    } catch (error) {
      const { code = status.UNKNOWN, details = '' } = error as Partial<Status>;
      const name = status[error instanceof GatewayError ? status.RESOURCE_EXHAUSTED : code];
      onStatus(method, name);
      span?.setAttributes({ 'rpc.status_code': name });
      if (error instanceof GatewayError) throw error;
      throw toGatewayError({ code, details }, signal, error);
    }
  };
}

/** Makes the function that sends an RPC with retries and hedging, within one retry budget for all RPCs. */
function createSend(servers: ModelServers, { hedgeAfterMs, onExtraAttempt }: UnaryOptions): Unary {
  const budget = new RetryBudget();
  let calls = 0;
  return (rpc) => {
    const mayTryAgain = (reason: ExtraAttempt) => {
      const may = budget.withdraw();
      if (!may) return false;
      onExtraAttempt?.(reason);
      rpc.span?.addEvent('retry', { 'tensorgate.reason': reason });
      return true;
    };
    budget.deposit();
    calls += 1;
    const { deadlineMs, model } = rpc;
    const attempt = (signal: AbortSignal, callId?: string) =>
      retryUnavailable(() => callConnected(servers, { ...rpc, signal }, callId), { signal, deadlineMs, mayTryAgain });
    if (hedgeAfterMs === undefined || model === undefined) return attempt(rpc.signal);
    const callId = String(calls);
    return hedge((signal) => attempt(signal, callId), hedgeAfterMs, { signal: rpc.signal, deadlineMs, mayTryAgain });
  };
}

/** Waits for a connection before each attempt: the failed attempt may have ended with its connection. */
async function callConnected(servers: ModelServers, rpc: Rpc, callId: string | undefined): Promise<Buffer> {
  await waitForConnection(servers);
  return call(servers, rpc, callId);
}

/** Resolves to whether a server is connected, after CONNECT_TIMEOUT_MS at most. */
export async function waitForConnection(servers: ModelServers): Promise<boolean> {
  const channel = servers.getChannel();
  const endMs = performance.now() + CONNECT_TIMEOUT_MS;
  let state = channel.getConnectivityState(false);
  if (state === connectivityState.READY || state === connectivityState.SHUTDOWN)
    return state === connectivityState.READY;
  // True starts connecting. It would also reopen a closed channel, hence the check for SHUTDOWN above.
  channel.getConnectivityState(true);
  while ((state === connectivityState.IDLE || state === connectivityState.CONNECTING) && performance.now() < endMs) {
    await stateChange(channel, state, endMs);
    state = channel.getConnectivityState(false);
  }
  return state === connectivityState.READY;
}

/** Resolves when the channel leaves the state, or at `endMs` of `performance.now()`. */
function stateChange(
  channel: ReturnType<ModelServers['getChannel']>,
  state: connectivityState,
  endMs: number,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // setImmediate: on a busy event loop the timer fires before the event of a connection that was made in time.
  channel.watchConnectivityState(state, wallClock(endMs), () => setImmediate(resolve));
  return promise;
}

/** grpc-js takes wall-clock deadlines and turns them into timers at once: a later jump of the clock has no effect. */
function wallClock(atMs: number): number {
  return Date.now() + Math.max(0, atMs - performance.now());
}
