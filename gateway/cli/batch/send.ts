/** Sends one group to the gateway, and says what became of each item. */
import path from 'node:path';
import { causeOf } from '../gateway/address.ts';
import { BucketError } from './bucket/error.ts';
import { parseExact } from './exact.ts';
import type { Group, Item } from './item.ts';
import { Refused } from './refused.ts';
import { type Row, type RowError, rowOf } from './row.ts';

export type Sent = {
  readonly rows: readonly Row[];
  /** Smaller groups to send: the gateway refused all instances, and one may be to blame. */
  readonly halves?: readonly Group[];
  readonly retry?: Retry;
};

export type Retry = {
  readonly group: Group;
  readonly error: RowError;
  /** The gateway has no room, or does not answer: everything waits. */
  readonly isBusy: boolean;
  /** The items may be the reason: after some tries they have failed. */
  readonly isSuspect: boolean;
  readonly retryAfterMs?: number;
};

export type Target = {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
};

type Problem = RowError & { readonly status: number };

/** No request of the batch would be answered. */
const HOPELESS: ReadonlySet<number> = new Set([401, 404, 405, 409]);
/** The gateway has no room, or no model server. */
const BUSY: ReadonlySet<number> = new Set([429, 503]);

/** Sends it. Throws Refused. A picture that cannot be read is a failed item; one in a store that is down is sent later. */
export async function send(group: Group, { url, headers, timeoutMs }: Target): Promise<Sent> {
  let response: Response;
  let text: string;
  try {
    const content = await contentOf(group);
    if ('error' in content) return notRead(group, content.error, content.isTransient);
    const { type, body } = content;
    const signal = AbortSignal.timeout(timeoutMs);
    response = await fetch(url, { method: 'POST', headers: { ...headers, 'Content-Type': type }, body, signal });
    text = await response.text();
  } catch (error) {
    const problem = { kind: 'no_answer', detail: `${url.origin} does not answer (${causeOf(error)})` };
    return { rows: [], retry: { group, error: problem, isBusy: true, isSuspect: true } };
  }
  return response.ok ? answered(group, text) : refused(group, response, text);
}

type Content =
  | { readonly type: string; readonly body: string | Uint8Array<ArrayBuffer> }
  | { readonly error: RowError; readonly isTransient: boolean };

async function contentOf(group: Group): Promise<Content> {
  const [first] = group;
  if (first && 'picture' in first) {
    try {
      const body = await first.picture();
      return {
        type: `image/${
          path
            .extname(first.input ?? '')
            .slice(1)
            .toLowerCase() || 'jpeg'
        }`,
        body,
      };
    } catch (error) {
      return unread(error);
    }
  }
  return { type: 'application/json', body: `{"instances":[${group.map((item) => jsonOf(item)).join(',')}]}` };
}

/** What could not be read now makes everything wait; what can never be read has failed. */
function notRead(group: Group, error: RowError, isTransient: boolean): Sent {
  if (isTransient) return { rows: [], retry: { group, error, isBusy: true, isSuspect: true } };
  return { rows: group.map((item) => rowOf(item, { error })) };
}

function unread(error: unknown): Exclude<Content, { type: string }> {
  if (!(error instanceof BucketError)) {
    return { error: { kind: 'file_unreadable', detail: `cannot be read (${causeOf(error)})` }, isTransient: false };
  }
  return { error: { kind: 'file_unreadable', detail: error.message }, isTransient: error.isTransient };
}

const jsonOf = (item: Item) => ('json' in item ? item.json : '');

function answered(group: Group, text: string): Sent {
  const predictions = predictionsIn(group, text);
  const rows: Row[] = [];
  const failed: Item[] = [];
  let last: Problem | undefined;
  for (const [index, item] of group.entries()) {
    const prediction = predictions[index];
    const problem = problemIn(prediction);
    if (!problem) rows.push(rowOf(item, { prediction }));
    else if (isTransient(problem)) {
      failed.push(item);
      last = problem;
    } else rows.push(rowOf(item, { error: problem }));
  }
  return { rows, ...(last && { retry: retryOf(failed, last) }) };
}

/** One prediction for each item. Throws Refused for an answer that is not of a gateway, such as a login page. */
function predictionsIn(group: Group, text: string): readonly unknown[] {
  try {
    const body = parseExact(text);
    if (group.some((item) => 'picture' in item)) return [body];
    const { predictions } = (body ?? {}) as { readonly predictions?: unknown };
    if (Array.isArray(predictions) && predictions.length === group.length) return predictions;
  } catch (cause) {
    throw new Refused(`the answer is not JSON, so it is not of a gateway: ${text.slice(0, 100)}`, { cause });
  }
  throw new Refused(`the answer has no prediction for each instance: ${text.slice(0, 100)}`);
}

function refused(group: Group, response: Response, text: string): Sent {
  const problem = problemOf(response.status, text);
  if (HOPELESS.has(problem.status)) throw new Refused(`${problem.status} ${problem.kind}: ${problem.detail}`);
  if (BUSY.has(problem.status)) return { rows: [], retry: { ...retryOf(group, problem), ...retryAfterOf(response) } };
  const half = Math.ceil(group.length / 2);
  if (group.length > 1) return { rows: [], halves: [group.slice(0, half), group.slice(half)] };
  if (isTransient(problem)) return { rows: [], retry: retryOf(group, problem) };
  return { rows: group.map((item) => rowOf(item, { error: problem })) };
}

/** Whether the same request may be answered a moment later. */
const isTransient = ({ status }: Problem) => status === 408 || status === 429 || status >= 500;

function retryOf(group: Group, error: Problem): Retry {
  const isBusy = BUSY.has(error.status);
  return { group, error, isBusy, isSuspect: !isBusy };
}

/** The error of one instance among others that have predictions. */
function problemIn(prediction: unknown): Problem | undefined {
  const { error } = (prediction ?? {}) as { readonly error?: { readonly type?: unknown; readonly status?: number } };
  if (typeof error?.type !== 'string' || !error.type.startsWith('urn:tensorgate:error:')) return undefined;
  return problemOf(error.status ?? 500, JSON.stringify(error));
}

/** A problem document, or what a proxy before the gateway answered in its place. */
function problemOf(status: number, text: string): Problem {
  const { kind = `http_${status}`, detail = text.slice(0, 200) } = parsed(text);
  // The user gave files or rows, and does not know the number of an instance in its request.
  return { kind, status, detail: detail.replace(/^instances\[\d+\](\.|: )/, '') };
}

function parsed(text: string): Partial<RowError> {
  try {
    return (JSON.parse(text) ?? {}) as Partial<RowError>;
  } catch {
    return {}; // not of the gateway
  }
}

/** Retry-After in milliseconds, if there is one: seconds or a date (RFC 9110, 10.2.3). */
function retryAfterOf({ headers }: Response): Pick<Retry, 'retryAfterMs'> {
  const text = headers.get('retry-after');
  if (text === null) return {};
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? { retryAfterMs: Math.max(0, ms) } : {};
}
