/** Further attempts at a call: where a server had no room for it, could not be reached, or takes long. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { Ending } from './failure.ts';

/** Sends the call; cancelled with the signal. Rejects with gRPC's error. */
export type Attempt = (signal: AbortSignal) => Promise<Buffer>;

export type AttemptLimits = {
  readonly signal: AbortSignal;
  /** End of the call in `performance.now()` milliseconds. */
  readonly deadlineMs: number;
  /** Asked before each further attempt: whether the retry budget has room for it. */
  readonly mayTryAgain: (reason: ExtraAttempt) => boolean;
};

/** Why a further attempt was made. */
export type ExtraAttempt = 'refused' | 'unavailable' | 'hedge';

/**
 * Pauses before the further attempts. At a refused call: first the other servers, then all of them once more. At one whose
 * server could not be reached, or died over it, one: a Predict changes nothing, so it may run twice.
 */
const PAUSES_MS = { refused: [1, 10, 50, 250], unavailable: [20] };

/**
 * Sends a call again that a server refused because it was full, which TF-Serving does before any work (`Server Threadpool
 * Exhausted`), or that did not reach one. The balancer asks servers last that have just failed so, and the second attempt
 * goes to another one. Rejects with the last failure when there was no luck within a third of a second or the deadline.
 */
export async function untilServed(
  attempt: Attempt,
  { signal, deadlineMs, mayTryAgain }: AttemptLimits,
): Promise<Buffer> {
  const left = { refused: PAUSES_MS.refused.values(), unavailable: PAUSES_MS.unavailable.values() };
  for (;;) {
    try {
      return await attempt(signal);
    } catch (error) {
      const reason = reasonFor(error);
      const { value: pauseMs } = reason ? left[reason].next() : { value: undefined };
      const isOver = signal.aborted || pauseMs === undefined || performance.now() + pauseMs >= deadlineMs;
      if (!reason || isOver || !mayTryAgain(reason)) throw error;
      // Not all at the same moment. An abort ends the next attempt, at once.
      await sleep(pauseMs * (0.5 + Math.random()));
    }
  }
}

/** Everything else a server has thought about. */
function reasonFor(error: unknown): 'refused' | 'unavailable' | undefined {
  const { code, details = '' } = error as Partial<Ending>;
  if (code === status.UNAVAILABLE) return 'unavailable';
  // A server that is full says so of its own accord; a message that is over a limit is so everywhere.
  return code === status.RESOURCE_EXHAUSTED && !/larger than/i.test(details) ? 'refused' : undefined;
}

/**
 * Sends a call a second time when it was not answered after so long, takes the answer that comes first and cancels the
 * other one (J. Dean, L. A. Barroso, "The Tail at Scale", 2013: hedged requests). The balancer sends it to another
 * server. Rejects with the first attempt's error when no attempt succeeds.
 */
export async function hedge(attempt: Attempt, afterMs: number, limits: AttemptLimits): Promise<Buffer> {
  const answered = new AbortController();
  const waiting = new AbortController();
  const signal = AbortSignal.any([limits.signal, answered.signal]);
  const first = attempt(signal).finally(() => waiting.abort());
  const second = sleep(afterMs, undefined, { signal: waiting.signal }).then(() =>
    limits.mayTryAgain('hedge') ? attempt(signal) : first,
  );
  try {
    return await Promise.any([first, second]);
  } catch (thrown) {
    throw (thrown as AggregateError).errors[0];
  } finally {
    answered.abort();
  }
}
