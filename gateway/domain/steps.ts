/** Long work of the event loop, in steps: other requests take their turns between them. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Work that yields after each step, of two milliseconds at most. */
export type Steps<Result> = Generator<undefined, Result>;

/** Values of a message that are read or written in one step. */
export const VALUES_OF_STEP = 2 ** 14;

/** Does all steps, one in each turn of the event loop. */
export async function inTurns<Result>(steps: Steps<Result>): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await nextTurn();
  }
}

/** Does all steps at once. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
