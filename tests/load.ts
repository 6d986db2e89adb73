/** A steady load on /predict, whatever becomes of its requests. */
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { predict, type Service } from './gateway.ts';

/** Together twenty requests a second, and fewer on a machine that cannot answer as many. */
const CALLERS = 4;
const PAUSE_MS = 200;

export type Answered = {
  readonly status: number;
  readonly version: string | null;
  readonly retryAfter: string | null;
};

export type Load = {
  /** What was answered so far, in the order of the answers. */
  readonly answers: readonly Answered[];
  /** Ends the load and gives all answers; rejects where a request got none. */
  stop(): Promise<readonly Answered[]>;
};

/** Sends the body again and again, to the end of the test at the latest. */
export function startLoad(t: TestContext, gateway: Service, body: object): Load {
  const answers: Answered[] = [];
  const ending = new AbortController();
  async function call(): Promise<void> {
    while (!ending.signal.aborted) {
      const { status, headers } = await predict(gateway, body);
      answers.push({ status, version: headers.get('x-model-version'), retryAfter: headers.get('retry-after') });
      await sleep(PAUSE_MS);
    }
  }
  const calling = Promise.all(Array.from({ length: CALLERS }, call));
  async function stop() {
    ending.abort();
    await calling;
    return answers;
  }
  t.after(stop);
  return { answers, stop };
}
