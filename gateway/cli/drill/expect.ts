/** Assertions on responses. Each returns what came back, as text for the report, or throws Mismatch. */

import { type Drill, Mismatch } from './check.ts';
import type { Endpoint, EndpointResponse } from './endpoint.ts';

/** Private addresses, paths, stack traces and library names: an error response must not contain them (H6). */
const LEAKS =
  /\b(?:127|10|169\.254|192\.168)\.\d+\.\d+|node:|node_modules|\.[jt]s:\d|\bat \w+ \(|ECONN|ENOTFOUND|EAI_|\bvips|\bsharp\b|\bgrpc\b|busboy|body-parser/i;

type Scores = Readonly<Record<string, number>>;

/** "422 image_unreadable", or the status alone if the response is not a problem document. */
export function statusAndKind({ status, text }: EndpointResponse): string {
  const kind = /"kind":"(\w+)"/.exec(text)?.[1];
  return status >= 400 && kind !== undefined ? `${status} ${kind}` : String(status);
}

/**
 * Expects one of the allowed responses ("403 source_forbidden", "200", "415"; a status alone allows every kind). An
 * error must not contain internals. A problem document must have the response's own status and request id.
 */
export function expectResponse(response: EndpointResponse, ...allowed: readonly string[]): string {
  const came = statusAndKind(response);
  const fits = allowed.some((one) => came === one || String(response.status) === one);
  if (!fits) throw new Mismatch(`${came}, not ${allowed.join(' or ')}`);
  const leak = response.status >= 400 ? LEAKS.exec(response.text)?.[0] : undefined;
  if (leak !== undefined) throw new Mismatch(`${came}, and the response contains "${leak}"`);
  if (came.includes(' ')) expectProblem(response);
  return came;
}

function expectProblem({ status, headers, text }: EndpointResponse): void {
  const problem = parsed(text) as { status?: number; request_id?: string } | undefined;
  if (problem?.status !== status) throw new Mismatch(`${status}, but the problem document has ${problem?.status}`);
  if (!problem.request_id || problem.request_id !== headers['x-request-id']) {
    throw new Mismatch(`${status}, but request_id is not X-Request-Id`);
  }
}

/** The scores of a 200 with one prediction. All must be finite. */
export function scoresOf(response: EndpointResponse): Scores {
  expectResponse(response, '200');
  const scores = parsed(response.text) as Scores;
  const values = Object.values(scores ?? {});
  if (values.length === 0 || !values.every(Number.isFinite)) throw new Mismatch('200, but not a map of finite scores');
  return scores;
}

/** Expects the same scores within 1e-3: the order of float operations may differ. */
export function expectSameScores(one: Scores, other: Scores, what: string): void {
  const names = Object.keys(one);
  const near = (a = Number.NaN, b = Number.NaN) => Math.abs(a - b) <= 1e-3 * Math.max(1, Math.abs(a));
  if (names.length === Object.keys(other).length && names.every((name) => near(one[name], other[name]))) return;
  throw new Mismatch(`200, but different scores for ${what}`);
}

/** Sends each input. Every response must be one of `allowed`. */
export async function expectEach<T>(
  inputs: Readonly<Record<string, T>>,
  send: (input: T) => Promise<EndpointResponse>,
  ...allowed: readonly string[]
): Promise<string> {
  const came = new Set<string>();
  for (const [name, input] of Object.entries(inputs)) {
    came.add(await named(name, async () => expectResponse(await send(input), ...allowed)));
  }
  return [...came].join(', ');
}

/** Expects 403, or one of `orElse`, for every URL: within 3 s and with the same text as all other refusals. */
export async function expectRefused(
  { endpoint, refusals }: Drill,
  urls: readonly string[],
  ...orElse: readonly string[]
): Promise<string> {
  const came = new Set<string>();
  for (const url of urls) {
    await named(url, async () => {
      const response = await endpoint.predictJson({ url });
      came.add(expectResponse(response, '403 source_forbidden', ...orElse));
      expectWithin(response, 3000);
      refusals.add(detailOf(response));
      if (refusals.size > 1) throw new Mismatch(`refused with different texts: ${[...refusals].join(' | ')}`);
    });
  }
  return [...came].join(', ');
}

/** Throws Mismatch if the response took longer. */
export function expectWithin(response: EndpointResponse, limitMs: number): void {
  if (response.durationMs > limitMs)
    throw new Mismatch(`${statusAndKind(response)} after ${Math.round(response.durationMs)} ms`);
}

/** Sends a picture as the body. Returns its scores. */
export async function scorePicture(endpoint: Endpoint, bytes: Uint8Array, name = 'the picture'): Promise<Scores> {
  return named(name, async () => scoresOf(await endpoint.predictPicture(bytes)));
}

/** The `detail` of a problem document. */
export function detailOf({ text }: EndpointResponse): string {
  return String((parsed(text) as { detail?: unknown } | undefined)?.detail);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Mismatch('the response is not JSON');
  }
}

/** Adds the name of the input to a failure. */
async function named<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new Mismatch(`${name}: ${(cause as Error).message}`, { cause });
  }
}
