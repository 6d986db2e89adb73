/** Waits that end: by the work, by the clock, or because nobody wants the outcome any more. */
import { addAbortListener } from 'node:events';

/** The work's outcome, or a rejection with the signal's reason as soon as it aborts. The work itself goes on. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  using _listener = addAbortListener(signal, () => reject(signal.reason));
  return await Promise.race([work, aborted]);
}

/** The work's outcome, or a rejection when the time is up. The work itself goes on. */
export async function inTime<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no outcome within ${timeoutMs} ms`)), timeoutMs);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
