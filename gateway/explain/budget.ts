/** The bounds of an explanation: calls of the model, and time. */
import { GatewayError } from '../errors.ts';
import type { Budget } from './method.ts';
import type { ExplainOptions } from './options.ts';

/** Throws `invalid_request` where the method cannot answer with so few calls. */
export function requireBudget(least: number, { calls }: Budget, { place, method, budget }: ExplainOptions): void {
  if (calls >= least) return;
  const bound = budget === undefined ? 'EXPLAIN_MAX_CALLS allows' : 'it allows';
  const detail = `${place}explain.budget: ${method} needs at least ${least} calls of the model here; ${bound} ${calls} for each instance`;
  throw new GatewayError('invalid_request', detail);
}

export type Meter = Budget & {
  readonly used: number;
  /** Counts a batch that took so long. */
  add(calls: number, ms: number): void;
};

/** Makes the budget of one explanation. `untilMs`: of `performance.now()`. */
export function createMeter(calls: number, untilMs: number): Meter {
  let used = 0;
  let spentMs = 0;
  return {
    calls,
    get used() {
      return used;
    },
    add(count, ms) {
      used += count;
      spentMs += ms;
    },
    hasRoom(count) {
      const msOfCall = used === 0 ? 0 : spentMs / used;
      return used + count <= calls && performance.now() + count * msOfCall <= untilMs;
    },
  };
}
