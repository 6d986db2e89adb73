/** A steady load on /predict that continues when requests fail. */
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { predict, type Service } from './gateway.ts';

/** 4 callers with pauses of 200 ms: at most 20 requests per second. */
const CALLERS = 4;
const PAUSE_MS = 200;

export type Answered = {
  readonly status: number;
  readonly version: string | null;
  readonly retryAfter: string | null;
};

export type Load = {
  /** The answers so far, in the order of their arrival. */
  readonly answers: readonly Answered[];
  /** Stops the load and resolves with all answers; rejects if a request got none. */
  stop(): Promise<readonly Answered[]>;
};

/** Sends the body repeatedly until `stop` is called or the test ends. */
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
