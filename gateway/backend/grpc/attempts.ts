/** Extra attempts at a call: retries if a server is full or not reachable, a hedge if it is slow. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { isTooLarge, type Status } from './failure.ts';

/** Why an extra attempt was made. */
export type ExtraAttempt = 'refused' | 'unavailable' | 'hedge';

type AttemptLimits = {
  readonly signal: AbortSignal;
  /** End of the call in `performance.now()` milliseconds. */
  readonly deadlineMs: number;
  /** Asked before each extra attempt: whether the retry budget allows it. */
  readonly mayTryAgain: (reason: ExtraAttempt) => boolean;
};

/**
 * Backoff before each retry. A refused call is retried on the other servers first, then on all of them. A call whose
 * server is not reachable, or whose connection ended, is retried once: a Predict changes nothing, so it may run twice.
 */
const PAUSES_MS = { refused: [1, 10, 50, 250], unavailable: [20] };

/**
 * Retries a call that a server refused because it was full (TF-Serving refuses before any work: `Server Threadpool
 * Exhausted`), or whose server was not reachable. The balancer avoids servers that have just failed so, and the retry
 * goes to another one. Rejects with the last error when the retries (a third of a second in all), the budget or the
 * deadline run out, and at once for any other status.
 */
export async function retryUnavailable(
  attempt: () => Promise<Buffer>,
  { signal, deadlineMs, mayTryAgain }: AttemptLimits,
): Promise<Buffer> {
  const left = { refused: PAUSES_MS.refused.values(), unavailable: PAUSES_MS.unavailable.values() };
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const reason = retryReason(error);
      const { value: meanMs = Number.POSITIVE_INFINITY } = reason ? left[reason].next() : {};
      const pauseMs = meanMs * (0.5 + Math.random()); // with jitter
      const isOver = signal.aborted || performance.now() + pauseMs >= deadlineMs;
      if (!reason || isOver || !mayTryAgain(reason)) throw error;
      // An abort during the pause ends the next attempt at once.
      await sleep(pauseMs);
    }
  }
}

/** Undefined for all other statuses: the server has worked on the call, or would reject it again. */
function retryReason(error: unknown): 'refused' | 'unavailable' | undefined {
  const { code = status.UNKNOWN, details = '' } = error as Partial<Status>;
  if (code === status.UNAVAILABLE) return 'unavailable';
  return code === status.RESOURCE_EXHAUSTED && !isTooLarge({ code, details }) ? 'refused' : undefined;
}

/**
 * Makes a second attempt if the first has not answered after `afterMs`. Takes the first answer and cancels the other
 * attempt (J. Dean, L. A. Barroso, "The Tail at Scale", 2013: hedged requests). The balancer sends the second attempt
 * to another server. Rejects with the first attempt's error if both fail.
 */
export async function hedge(
  attempt: (signal: AbortSignal) => Promise<Buffer>,
  afterMs: number,
  { signal: ofCall, mayTryAgain }: AttemptLimits,
): Promise<Buffer> {
  const answered = new AbortController();
  const firstEnded = new AbortController();
  const signal = AbortSignal.any([ofCall, answered.signal]);
  const first = attempt(signal).finally(() => firstEnded.abort());
  const second = sleep(afterMs, undefined, { signal: firstEnded.signal }).then(() =>
    mayTryAgain('hedge') ? attempt(signal) : first,
  );
  try {
    return await Promise.any([first, second]);
  } catch (thrown) {
    throw (thrown as AggregateError).errors[0];
  } finally {
    answered.abort();
  }
}
