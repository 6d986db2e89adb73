/** Retries a call to a backend that has no room, with exponential backoff and jitter. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admission } from '../admission/admission.ts';
import { withSpan } from '../domain/context.ts';
import type { RequestContext } from '../domain/request.ts';
import { abortError, GatewayError } from '../errors.ts';

const FIRST_PAUSE_MS = 25;
const MAX_PAUSE_MS = 400;

/**
 * Repeats the call while it fails with `overloaded` of the model server and the time left allows another pause and a usual service time. The
 * request stays busy meanwhile and the limit backs off, so that less is sent to a full backend. Throws the last
 * `overloaded`, also when the time ran out during a later call.
 */
export async function retryWhileFull<T>(
  admission: Pick<Admission, 'backOff' | 'serviceMs'>,
  { signal, deadlineMs, span }: RequestContext,
  call: () => Promise<T>,
): Promise<T> {
  let full: unknown;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2)) {
    try {
      return await call();
    } catch (thrown) {
      const { kind, isUnavailable } = thrown instanceof GatewayError ? thrown : {};
      if (full !== undefined && kind === 'model_timeout') throw full;
      // The gateway's own memory is short: the model would do the same work again.
      if (kind !== 'overloaded' || isUnavailable) throw thrown;
      full = thrown;
    }
    const waitMs = pauseMs * (1 + Math.random());
    if (performance.now() + waitMs + admission.serviceMs >= deadlineMs) throw full;
    admission.backOff();
    span?.addEvent('retry', { 'tensorgate.reason': 'full' });
    await sleep(waitMs, undefined, { signal }).catch(() => Promise.reject(abortError(signal)));
  }
}

/** Calls a model server in the stage `predict`, with the context of the stage. Repeats as retryWhileFull does. */
export function callServer<T>(
  admission: Pick<Admission, 'backOff' | 'serviceMs'>,
  context: RequestContext,
  call: (context: RequestContext) => Promise<T>,
): Promise<T> {
  return context.time('predict', (span) => {
    const timed = withSpan(context, span);
    return retryWhileFull(admission, timed, () => call(timed));
  });
}
