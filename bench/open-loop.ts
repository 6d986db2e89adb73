/** Open-loop load: sends at a fixed rate and does not wait for answers, as many independent clients do. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export type Offer = {
  readonly url: string;
  /** JSON. */
  readonly body: string;
  readonly perSecond: number;
  readonly seconds: number;
};

/** The results. Latencies are sorted in ascending order. */
export type Outcome = {
  readonly sent: number;
  /** Answers of status 200 per second that arrived before the load ended. Later ones do not count. */
  readonly goodput: number;
  readonly acceptedMs: readonly number[];
  readonly refusedMs: readonly number[];
  /** The Retry-After headers of the 429 answers, in seconds. */
  readonly retryAfterS: readonly number[];
  /** One text for each answer that was neither 200 nor 429, with its reason. */
  readonly failures: readonly string[];
};

type Answer = {
  readonly status: number;
  readonly ms: number;
  readonly endMs: number;
  readonly retryAfterS: number;
  readonly failure?: string;
};

const TIMEOUT_MS = 30_000;
/**
 * Interval at which due requests are sent: short enough for a steady rate, long enough to leave the CPU to the gateway.
 */
const TICK_MS = 10;

/** Sends one POST /predict. The status is 0, with the failure, if no answer arrives within 30 s. */
export function post(agent: Agent, url: string, body: string): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const startedMs = performance.now();
  const end = (status: number, retryAfterS: number, failure?: string) => {
    const endMs = performance.now();
    resolve({ status, retryAfterS, endMs, ms: endMs - startedMs, ...(failure && { failure }) });
  };
  const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
  const sent = request(`${url}/predict`, { method: 'POST', agent, headers, timeout: TIMEOUT_MS }, (response) => {
    const { statusCode = 0, headers: given } = response;
    response.resume().on('end', () => end(statusCode, Number(given['retry-after'])));
    response.on('error', ({ message }) => end(0, 0, message));
  });
  sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
  sent.on('error', ({ message }) => end(0, 0, message));
  sent.end(body);
  return promise;
}

/**
 * Sends requests at independent random times, as many clients would (a Poisson process with a known count). Resolves
 * when every request has its answer.
 */
export async function offer({ url, body, perSecond, seconds }: Offer): Promise<Outcome> {
  const agent = new Agent({ keepAlive: true });
  const answers: Promise<Answer>[] = [];
  const moments = Array.from({ length: Math.round(perSecond * seconds) }, () => Math.random() * seconds * 1000);
  const due = moments.sort((one, other) => one - other).values();
  const startedMs = performance.now();
  const untilMs = startedMs + seconds * 1000;
  for (let next = due.next(); !next.done; ) {
    const elapsedMs = performance.now() - startedMs;
    for (; !next.done && next.value <= elapsedMs; next = due.next()) answers.push(post(agent, url, body));
    await sleep(TICK_MS);
  }
  const all = await Promise.all(answers);
  agent.destroy();
  const inTime = all.filter(({ status, endMs }) => status === 200 && endMs <= untilMs);
  return { ...sort(all), goodput: inTime.length / seconds };
}

function sort(answers: readonly Answer[]): Omit<Outcome, 'goodput'> {
  const of = (status: number) => answers.filter((answer) => answer.status === status);
  const ms = (some: readonly Answer[]) => some.map((answer) => answer.ms).sort((one, other) => one - other);
  const failed = answers.filter(({ status }) => status !== 200 && status !== 429);
  return {
    sent: answers.length,
    acceptedMs: ms(of(200)),
    refusedMs: ms(of(429)),
    retryAfterS: of(429).map(({ retryAfterS }) => retryAfterS),
    failures: failed.map(({ status, failure }) => failure ?? `status ${status}`),
  };
}

/**
 * Closed-loop load: `concurrency` requests at a time for `seconds`. Resolves to the answers of status 200 per second.
 */
export async function capacity(url: string, body: string, seconds: number, concurrency = 12): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const untilMs = performance.now() + seconds * 1000;
  let good = 0;
  async function ask(): Promise<void> {
    while (performance.now() < untilMs) {
      const { status, endMs } = await post(agent, url, body);
      if (status !== 200) await sleep(20);
      else if (endMs <= untilMs) good += 1;
    }
  }
  await Promise.all(Array.from({ length: concurrency }, ask));
  agent.destroy();
  return good / seconds;
}

/** The quantile `share` (0 to 1) of sorted values. NaN if there are none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}
