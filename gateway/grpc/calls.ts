/**
 * Bounds the calls that wait for their clients. HTTP/2 bounds those of one connection only: a client opens hundreds with
 * one packet, and sends no message in any.
 */
import { constants, type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { createCallTurns } from './call-turns.ts';

/**
 * Calls of all connections whose turn has not come, whose message has not arrived, or whose answer is not taken. Each
 * takes 10 kB, and up to three times the size of its headers.
 */
export const MAX_WAITING_CALLS = 1024;

/** A call as it arrives. */
export type Arrived = { readonly stream: ServerHttp2Stream; readonly headers: IncomingHttpHeaders };

/** Takes one call. Resolves when the answer is written. Never rejects. */
export type OnCall = (arrived: Arrived) => Promise<void>;

/**
 * Hands calls on in turn. A call above the bound takes the place of the oldest one that waits on the connection with most of
 * them: that one is closed as not processed, which clients may send again (RFC 9113, 8.7).
 */
export function boundCalls(onCall: OnCall, max: number = MAX_WAITING_CALLS): (arrived: Arrived) => void {
  const inTurn = createCallTurns();
  const waiting = new WaitingCalls();
  return (arrived) => {
    const { stream } = arrived;
    const { session } = stream;
    if (!session) return;
    let isAnswered = false;
    const handle = async () => {
      await onCall(arrived);
      isAnswered = true;
      if (!stream.closed) waiting.add(session, stream);
    };
    stream.once('end', () => isAnswered || waiting.delete(session, stream));
    stream.once('close', () => waiting.delete(session, stream));
    waiting.add(session, stream);
    if (waiting.count > max) waiting.closeOne();
    inTurn(session, () => {
      if (stream.closed) return false;
      void handle();
      return true;
    });
  };
}

class WaitingCalls {
  /** In the order in which they began to wait. */
  readonly #of = new Map<Http2Session, Set<ServerHttp2Stream>>();
  count = 0;

  add(session: Http2Session, stream: ServerHttp2Stream): void {
    const calls = this.#of.get(session) ?? new Set();
    this.#of.set(session, calls);
    if (!calls.has(stream)) this.count += 1;
    calls.add(stream);
  }

  delete(session: Http2Session, stream: ServerHttp2Stream): void {
    const calls = this.#of.get(session);
    if (!calls?.delete(stream)) return;
    this.count -= 1;
    if (calls.size === 0) this.#of.delete(session);
  }

  /** Closes the oldest of the connection with most calls. */
  closeOne(): void {
    let most: readonly [Http2Session, Set<ServerHttp2Stream>] | undefined;
    for (const entry of this.#of) if (entry[1].size > (most?.[1].size ?? 0)) most = entry;
    const [oldest] = most?.[1] ?? [];
    if (!most || !oldest) return;
    this.delete(most[0], oldest);
    oldest.close(constants.NGHTTP2_REFUSED_STREAM);
  }
}
