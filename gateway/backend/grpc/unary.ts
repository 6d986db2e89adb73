/** One unary RPC: bytes in, bytes out, with a deadline, a signal, and a quick answer where no server is connected. */
import { performance } from 'node:perf_hooks';
import { connectivityState, status } from '@grpc/grpc-js';
import { type ExtraAttempt, hedge, untilServed } from './attempts.ts';
import { type Call, call } from './call.ts';
import { asError, type Ending, failure } from './failure.ts';
import type { ModelServers } from './model-servers.ts';
import { RetryBudget } from './retry-budget.ts';
import type { CallMark } from './server-load.ts';

/**
 * How long a call waits for a connection that is being made: servers end connections of a certain age, and a busy machine
 * takes a while to make the next one. Much more, and an outage piles requests up.
 */
const CONNECT_PATIENCE_MS = 300;

export type Rpc = Call & {
  /** The model that is asked to predict; none for a look-up, which tells nothing of how quick a server is. */
  readonly model?: string;
};

/** Told once how each RPC ended, retries included: the method's name and gRPC's name of the status. */
export type OnStatus = (method: string, code: string) => void;

export type UnaryOptions = {
  /** After so long without an answer a prediction is asked of a second server too; undefined: never. */
  readonly hedgeAfterMs?: number | undefined;
  readonly onExtraAttempt?: (reason: ExtraAttempt) => void;
};

export type Unary = (rpc: Rpc) => Promise<Buffer>;

/**
 * Makes the function that sends RPCs of a client. It gives the answer's bytes, or throws the GatewayError of the status
 * (see failure.ts): within a third of a second where no server is connected, and at once when the signal is aborted,
 * which cancels the call on the server too.
 */
export function createUnary(servers: ModelServers, onStatus: OnStatus, options: UnaryOptions = {}): Unary {
  const send = createSend(servers, options);
  return async (rpc) => {
    const { signal, path } = rpc;
    const method = path.slice(path.lastIndexOf('/') + 1);
    const connected = await isConnected(servers);
    if (signal.aborted) throw failure({ code: status.CANCELLED, details: '', signal }, signal.reason);
    try {
      if (!connected) throw asError(status.UNAVAILABLE, 'no model server is connected');
      const answer = await send(rpc);
      onStatus(method, 'OK');
      return answer;
    } catch (error) {
      const { code = status.UNKNOWN, details = '' } = error as Partial<Ending>;
      onStatus(method, status[code]);
      throw failure({ code, details, signal }, error);
    }
  };
}

/** Makes the function that sends a call as often as it has to be, within one budget for all calls. */
function createSend(
  servers: ModelServers,
  { hedgeAfterMs, onExtraAttempt }: UnaryOptions,
): (rpc: Rpc) => Promise<Buffer> {
  const budget = new RetryBudget();
  let calls = 0;
  const mayTryAgain = (reason: ExtraAttempt) => {
    const may = budget.withdraw();
    if (may) onExtraAttempt?.(reason);
    return may;
  };
  return (rpc) => {
    budget.deposit();
    calls += 1;
    const mark = { model: rpc.model, ...(hedgeAfterMs !== undefined && { call: String(calls) }) };
    const limits = { signal: rpc.signal, deadlineMs: rpc.deadlineMs, mayTryAgain };
    const attempt = (signal: AbortSignal) =>
      untilServed((signal) => callConnected(servers, { ...rpc, signal }, mark), { ...limits, signal });
    const isHedged = hedgeAfterMs !== undefined && rpc.model !== undefined;
    return isHedged ? hedge(attempt, hedgeAfterMs, limits) : attempt(rpc.signal);
  };
}

/** Connections come and go between attempts: those of a call that failed above all. */
async function callConnected(servers: ModelServers, rpc: Rpc, mark: CallMark): Promise<Buffer> {
  await isConnected(servers);
  return call(servers, rpc, mark);
}

async function isConnected(servers: ModelServers): Promise<boolean> {
  const channel = servers.getChannel();
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
function changed(
  channel: ReturnType<ModelServers['getChannel']>,
  state: connectivityState,
  giveUpMs: number,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // Not at once: on a busy event loop the timer is seen before the connection that was made in time.
  channel.watchConnectivityState(state, wallClock(giveUpMs), () => setImmediate(resolve));
  return promise;
}

/** grpc-js takes deadlines in wall-clock time and turns them into timers at once, so a later jump of the clock does no harm. */
function wallClock(atMs: number): number {
  return Date.now() + Math.max(0, atMs - performance.now());
}
