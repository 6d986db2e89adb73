/** Waits for a promise until a signal aborts or a timeout expires. */
import { addAbortListener } from 'node:events';

/** Resolves with the work's result, or rejects with the signal's reason when it aborts. Does not cancel the work. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  using _listener = addAbortListener(signal, () => reject(signal.reason));
  return await Promise.race([work, aborted]);
}

/** Resolves with the work's result, or rejects when the timeout expires. Does not cancel the work. */
export async function withTimeout<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`timeout after ${timeoutMs} ms`)), timeoutMs);
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}
