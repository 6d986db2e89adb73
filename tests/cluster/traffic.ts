/** A steady stream of requests through the Ingress, sent on time whatever becomes of the ones before. */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PICTURE } from '../committed-model.ts';

export type Answer = {
  readonly atMs: number;
  readonly tookMs: number;
  /** 0 where there was no answer. */
  readonly status: number;
  readonly version: string | undefined;
  readonly error: string | undefined;
  /** Of a 429: the seconds after which to ask again. */
  readonly retryAfterS: number | undefined;
  /** How often it was told to come back before this answer. */
  readonly refusals: number;
};

export type Traffic = {
  readonly answers: readonly Answer[];
  /** Ends it, waits for what is on its way, and resolves to everything. */
  stop(): Promise<readonly Answer[]>;
};

const MOST_TRIES = 10;

/** One POST of a picture, made again when the gateway says that it is overloaded and when to come back. */
async function askPatiently(url: string, agent: Agent): Promise<Answer> {
  for (let refusals = 0; ; refusals += 1) {
    const answer = await ask(url, agent);
    if (answer.retryAfterS === undefined || refusals === MOST_TRIES) return { ...answer, refusals };
    await sleep(answer.retryAfterS * 1000);
  }
}

/** One POST of a picture. */
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

/** Sends so many requests a second until it is stopped, at the end of the test at the latest. */
export function startTraffic(t: TestContext, url: string, perSecond: number): Traffic {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const answers: Answer[] = [];
  const calls: Promise<unknown>[] = [];
  const timer = setInterval(() => {
    calls.push(askPatiently(url, agent).then((answer) => answers.push(answer)));
  }, 1000 / perSecond);
  async function stop() {
    clearInterval(timer);
    // Requests that are sent now wait for those before them.
    await sleep(0);
    await Promise.all(calls);
    agent.destroy();
    return answers;
  }
  t.after(stop);
  return { answers, stop };
}

/** What came of it, in a few words: "1,200 answers, none failed, p50 41 ms, p99 120 ms". */
export function summary(answers: readonly Answer[]): string {
  const times = answers.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const at = (share: number) => `${Math.round(times[Math.floor(share * (times.length - 1))] ?? Number.NaN)} ms`;
  const bad = failed(answers);
  const failures = bad.length === 0 ? 'none failed' : `${bad.length} FAILED`;
  const refusals = refused(answers).length;
  const early = refusals === 0 ? '' : `, ${refusals} refused at first`;
  return `${answers.length.toLocaleString('en')} answers, ${failures}${early}, p50 ${at(0.5)}, p99 ${at(0.99)}`;
}

/** Told to come back, whatever came then. */
export const refused = (answers: readonly Answer[]): readonly Answer[] =>
  answers.filter(({ refusals }) => refusals > 0);

/** Everything but 200. */
export const failed = (answers: readonly Answer[]): readonly Answer[] => answers.filter(({ status }) => status !== 200);

/** Every request got its scores, and none was told to come back. */
export function assertNoneFailed(answers: readonly Answer[], atLeast = 1): void {
  assertAnswered(answers, atLeast);
  assert.deepEqual(refused(answers).slice(0, 5), []);
}

/** Every request got its scores, if need be at a second try: starting pods may take the CPU that serves. */
export function assertAnswered(answers: readonly Answer[], atLeast: number): void {
  assert.ok(answers.length >= atLeast, `only ${answers.length} answers`);
  assert.deepEqual(failed(answers).slice(0, 5), []);
}
