/** What a line may demand of an answer. Every check returns what came, and throws Mismatch where it is not that. */
import type { Answer, Endpoint } from './endpoint.ts';
import { type Drill, Mismatch } from './line.ts';

/** Addresses of the inside, paths, stacks, and names of libraries: nothing that belongs into an answer (H6). */
const LEAKS =
  /\b(?:127|10|169\.254|192\.168)\.\d+\.\d+|node:|node_modules|\.[jt]s:\d|\bat \w+ \(|ECONN|ENOTFOUND|EAI_|\bvips|\bsharp\b|\bgrpc\b|busboy|body-parser/i;

type Scores = Readonly<Record<string, number>>;

/** "422 image_unreadable", or the status alone where the answer is no problem document. */
export function cameOf({ status, text }: Answer): string {
  const kind = /"kind":"(\w+)"/.exec(text)?.[1];
  return status >= 400 && kind !== undefined ? `${status} ${kind}` : String(status);
}

/**
 * One of the allowed answers ("403 source_forbidden", "200", "415"; a bare status takes every kind), without a leak; a
 * problem document that names its own status and request, a 200 with finite scores.
 */
export function expectAnswer(answer: Answer, ...allowed: readonly string[]): string {
  const came = cameOf(answer);
  const fits = allowed.some((one) => came === one || String(answer.status) === one);
  if (!fits) throw new Mismatch(`${came}, not ${allowed.join(' or ')}`);
  const leak = answer.status >= 400 ? LEAKS.exec(answer.text)?.[0] : undefined;
  if (leak !== undefined) throw new Mismatch(`${came}, and the answer says "${leak}"`);
  if (came.includes(' ')) expectProblem(answer);
  return came;
}

function expectProblem({ status, headers, text }: Answer): void {
  const problem = parsed(text) as { status?: number; request_id?: string } | undefined;
  if (problem?.status !== status) throw new Mismatch(`${status}, but the problem says ${problem?.status}`);
  if (!problem.request_id || problem.request_id !== headers['x-request-id']) {
    throw new Mismatch(`${status}, but request_id is not X-Request-Id`);
  }
}

/** The scores of a flat answer, all of them finite. */
export function scoresOf(answer: Answer): Scores {
  expectAnswer(answer, '200');
  const scores = parsed(answer.text) as Scores;
  const values = Object.values(scores ?? {});
  if (values.length === 0 || !values.every(Number.isFinite)) throw new Mismatch('200, but not a map of finite scores');
  return scores;
}

/** The same scores, up to what float arithmetic in another order may change. */
export function expectSameScores(one: Scores, other: Scores, what: string): void {
  const names = Object.keys(one);
  const near = (a = Number.NaN, b = Number.NaN) => Math.abs(a - b) <= 1e-3 * Math.max(1, Math.abs(a));
  if (names.length === Object.keys(other).length && names.every((name) => near(one[name], other[name]))) return;
  throw new Mismatch(`200, but other scores for ${what}`);
}

/** Sends each input and wants one of the allowed answers for each of them. */
export async function expectEach<T>(
  inputs: Readonly<Record<string, T>>,
  send: (input: T) => Promise<Answer>,
  ...allowed: readonly string[]
): Promise<string> {
  const came = new Set<string>();
  for (const [name, input] of Object.entries(inputs)) {
    came.add(await named(name, async () => expectAnswer(await send(input), ...allowed)));
  }
  return [...came].join(', ');
}

/** Every URL is refused with 403, or in another allowed way, at once and in the words of all other refusals. */
export async function expectRefused(
  { endpoint, refusals }: Drill,
  urls: readonly string[],
  ...orElse: readonly string[]
): Promise<string> {
  const came = new Set<string>();
  for (const url of urls) {
    await named(url, async () => {
      const answer = await endpoint.predictJson({ url });
      came.add(expectAnswer(answer, '403 source_forbidden', ...orElse));
      expectWithin(answer, 3000);
      refusals.add(detailOf(answer));
      if (refusals.size > 1) throw new Mismatch(`refused in other words: ${[...refusals].join(' | ')}`);
    });
  }
  return [...came].join(', ');
}

/** Refuses to go on where an answer took longer. */
export function expectWithin(answer: Answer, limitMs: number): void {
  if (answer.durationMs > limitMs) throw new Mismatch(`${cameOf(answer)} after ${Math.round(answer.durationMs)} ms`);
}

/** The scores of a picture that was sent as the body. */
export async function scorePicture(endpoint: Endpoint, bytes: Uint8Array, name = 'the picture'): Promise<Scores> {
  return named(name, async () => scoresOf(await endpoint.predictPicture(bytes)));
}

/** The public text of a problem. */
export function detailOf({ text }: Answer): string {
  return String((parsed(text) as { detail?: unknown } | undefined)?.detail);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Mismatch('the answer is not JSON');
  }
}

/** Says in a failure which input it was. */
async function named<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new Mismatch(`${name}: ${(cause as Error).message}`, { cause });
  }
}
