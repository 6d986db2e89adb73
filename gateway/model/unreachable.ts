/** The reason why the model servers cannot be reached: found and logged once per outage. */
import { performance } from 'node:perf_hooks';
import type { Log } from '../domain/request.ts';

/** All models are polled four times a second in an outage: one search for the reason serves all of them. */
const FRESH_MS = 5000;

export type Unreachable = {
  /** One line for the log and the admin port, with addresses. */
  reason(): Promise<string>;
  /** A server answered: the next outage is logged again. */
  end(): void;
};

/** `find`: names each server and why it cannot be reached. */
export function createUnreachable(find: () => Promise<string>, log: Log): Unreachable {
  let found: Promise<string> | undefined;
  let foundMs = 0;
  let logged: string | undefined;

  async function search(): Promise<string> {
    const reason = await find();
    if (reason !== logged) log.warn({ reason }, 'the model server cannot be reached');
    logged = reason;
    return reason;
  }

  return {
    reason() {
      if (found && performance.now() - foundMs < FRESH_MS) return found;
      foundMs = performance.now();
      found = search();
      return found;
    },
    end() {
      found = undefined;
      logged = undefined;
    },
  };
}
