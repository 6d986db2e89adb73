/** Sends requests at a fixed rate through the Ingress, without waiting for earlier answers. */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PICTURE } from '../committed-model.ts';

export type Answer = {
  readonly atMs: number;
  readonly tookMs: number;
  /** 0 without an answer. */
  readonly status: number;
  readonly version: string | undefined;
  readonly error: string | undefined;
  /** Retry-After of a 429, in seconds. */
  readonly retryAfterS: number | undefined;
  /** The number of 429 answers before this answer. */
  readonly refusals: number;
};

export type Traffic = {
  readonly answers: readonly Answer[];
  /** Stops sending, waits for pending requests, and resolves to all answers. */
  stop(): Promise<readonly Answer[]>;
};

/** The usual rate of the tests, a second. */
export const RPS = 20;

const MAX_RETRIES = 10;

/** Sends one image. Retries a 429 after its Retry-After. */
async function askWithRetries(url: string, agent: Agent): Promise<Answer> {
  for (let refusals = 0; ; refusals += 1) {
    const answer = await ask(url, agent);
    if (answer.retryAfterS === undefined || refusals === MAX_RETRIES) return { ...answer, refusals };
    await sleep(answer.retryAfterS * 1000);
  }
}

/** Sends one image. Never rejects: a failed connection has status 0. */
export async function ask(url: string, agent?: Agent): Promise<Answer> {
  const start = performance.now();
  const ended = (rest: Pick<Answer, 'status' | 'version' | 'error'>, retryAfterS?: number): Answer => ({
    atMs: Date.now(),
    tookMs: performance.now() - start,
    retryAfterS,
    refusals: 0,
    ...rest,
  });
  return new Promise((resolve) => {
    const call = request(`${url}/predict`, { agent, method: 'POST', headers: { 'Content-Type': 'image/*' } });
    call.on('error', (error) => resolve(ended({ status: 0, version: undefined, error: error.message })));
    call.on('response', async (response) => {
      const text = String(await buffer(response).catch((error: Error) => error.message));
      const status = response.statusCode ?? 0;
      const version = response.headers['x-model-version'];
      const retryAfterS = status === 429 ? Number(response.headers['retry-after']) : undefined;
      const error = status === 200 ? undefined : text;
      resolve(ended({ status, version: version && String(version), error }, retryAfterS));
    });
    call.end(PICTURE);
  });
}

/** Sends `perSecond` requests per second until `stop` is called or the test ends. */
export function startTraffic(t: TestContext, url: string, perSecond: number): Traffic {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const answers: Answer[] = [];
  const calls: Promise<unknown>[] = [];
  const timer = setInterval(() => {
    calls.push(askWithRetries(url, agent).then((answer) => answers.push(answer)));
  }, 1000 / perSecond);
  async function stop() {
    clearInterval(timer);
    // One more turn of the event loop: a timer that is already due still adds its request.
    await sleep(0);
    await Promise.all(calls);
    agent.destroy();
    return answers;
  }
  t.after(stop);
  return { answers, stop };
}

/** A summary such as "1,200 answers, none failed, p50 41 ms, p99 120 ms". */
export function summary(answers: readonly Answer[]): string {
  const times = answers.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const at = (share: number) => `${Math.round(times[Math.floor(share * (times.length - 1))] ?? Number.NaN)} ms`;
  const bad = failed(answers);
  const failures = bad.length === 0 ? 'none failed' : `${bad.length} FAILED`;
  const refusals = refused(answers).length;
  const early = refusals === 0 ? '' : `, ${refusals} refused at first`;
  return `${answers.length.toLocaleString('en')} answers, ${failures}${early}, p50 ${at(0.5)}, p99 ${at(0.99)}`;
}

/** The answers that had at least one 429 before them. */
export const refused = (answers: readonly Answer[]): readonly Answer[] =>
  answers.filter(({ refusals }) => refusals > 0);

/** The answers with a status other than 200. */
export const failed = (answers: readonly Answer[]): readonly Answer[] => answers.filter(({ status }) => status !== 200);

/** Asserts that every request got 200 at its first try. */
export function assertNoneFailed(answers: readonly Answer[], atLeast = 1): void {
  assertAnswered(answers, atLeast);
  assert.deepEqual(refused(answers).slice(0, 5), []);
}

/** Asserts that every request got 200, if necessary after retries: starting pods may take CPU from serving pods. */
export function assertAnswered(answers: readonly Answer[], atLeast: number): void {
  assert.ok(answers.length >= atLeast, `only ${answers.length} answers`);
  assert.deepEqual(failed(answers).slice(0, 5), []);
}
