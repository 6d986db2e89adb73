/** Further attempts at a call, beyond gRPC's own: where a server had no room for it, and where it takes long. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServiceError, status } from '@grpc/grpc-js';

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
export type ExtraAttempt = 'refused' | 'hedge';

/** Pauses before the further attempts at a refused call: first the other servers, then all of them once more. */
const REFUSED_PAUSES_MS = [1, 10, 50, 250];

/**
 * Sends a call again that a server refused because it was full, which TF-Serving does before any work (`Server Threadpool
 * Exhausted`). The balancer asks servers last that have just refused, so the second attempt goes to another one. Rejects
 * with the refusal when none had room within a third of a second or the deadline.
 */
export async function untilRoom(attempt: Attempt, { signal, deadlineMs, mayTryAgain }: AttemptLimits): Promise<Buffer> {
  for (const pauseMs of REFUSED_PAUSES_MS) {
    try {
      return await attempt(signal);
    } catch (error) {
      const isOver = signal.aborted || performance.now() + pauseMs >= deadlineMs;
      if (!wasRefused(error) || isOver || !mayTryAgain('refused')) throw error;
    }
    // Not all at the same moment. An abort ends the next attempt, at once.
    await sleep(pauseMs * (0.5 + Math.random())).catch(() => undefined);
  }
  return attempt(signal);
}

/** A server that is full says so of its own accord; a message that is over a limit is so everywhere. */
function wasRefused(error: unknown): boolean {
  const { code, details = '' } = error as Partial<ServiceError>;
  return code === status.RESOURCE_EXHAUSTED && !/larger than/i.test(details);
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
