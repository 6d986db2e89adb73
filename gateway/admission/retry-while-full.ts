/** Calling a backend that may be full: the call waits here for its turn, while its lane does other work. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestContext } from '../domain/request.ts';
import { GatewayError } from '../errors.ts';
import { cutOff } from '../pipeline/cut-off.ts';
import type { Admission } from './admission.ts';

/** The first pause; it doubles, and each is stretched by chance, so that those who were refused together part. */
const PAUSE_MS = 25;
const MAX_PAUSE_MS = 400;

/**
 * Calls, and calls again while the answer is that there is no room (`overloaded`) and the request's time allows another
 * pause and a usual service time. Then that answer is thrown, also where the time ran out on the last call.
 */
export async function insist<T>(admission: Admission, context: RequestContext, call: () => Promise<T>): Promise<T> {
  let refusal: unknown;
  for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2)) {
    try {
      return await call();
    } catch (thrown) {
      const kind = thrown instanceof GatewayError ? thrown.kind : undefined;
      if (refusal !== undefined && kind === 'model_timeout') throw refusal;
      const isFull = kind === 'overloaded';
      if (isFull) refusal = thrown;
      const waitMs = pauseMs * (1 + Math.random());
      if (!isFull || performance.now() + waitMs + admission.serviceMs >= context.deadlineMs) throw thrown;
      admission.backOff();
      await admission.lend(context, () => pause(waitMs, context.signal));
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => Promise.reject(cutOff(signal)));
}
