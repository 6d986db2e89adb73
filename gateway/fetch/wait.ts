/** Waits for work until a signal aborts or a timeout expires. */
import { addAbortListener } from 'node:events';
import { LinkedController } from '../domain/linked-controller.ts';

/** Resolves with the work's result, or rejects with the signal's reason when it aborts. Does not cancel the work. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  using _listener = addAbortListener(signal, () => reject(signal.reason));
  return await Promise.race([work, aborted]);
}

export type TimeLimit = {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The error when the timeout expires. */
  readonly timedOut: () => Error;
};

/** Runs work that can be cancelled: its signal aborts with the given one, and when the timeout expires. */
export async function inTime<T>(
  { timeoutMs, signal, timedOut }: TimeLimit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using either = new LinkedController(signal);
  const timer = setTimeout(() => either.abort(timedOut()), timeoutMs);
  try {
    return await work(either.signal);
  } catch (error) {
    if (either.signal.aborted && !signal.aborted) throw either.signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
