/** Sends a Predict of the gateway's own, and waits while the model server is full. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PredictCall, Prediction } from '../domain/backend.ts';
import type { RequestContext } from '../domain/request.ts';
import { asGatewayError } from '../errors.ts';

/** Long, because clients' requests come first. */
const PAUSE_MS = 500;

/** Sends one row. Repeats the call while the server refuses it as full, until the context's signal is aborted. */
export async function sendWhenFree(call: PredictCall, context: RequestContext): Promise<Prediction> {
  for (;;) {
    try {
      return await call.send(1, context);
    } catch (thrown) {
      if (asGatewayError(thrown).kind !== 'overloaded' || context.signal.aborted) throw thrown;
      // Aborted: the next call fails at once, with the reason.
      await sleep(PAUSE_MS, undefined, { signal: context.signal }).catch(() => undefined);
    }
  }
}
