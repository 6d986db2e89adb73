/** One call: its attempts, its deadline, and what its answer means. */
import { type Problem, TensorgateError } from './failure.ts';

/** The first wait before a retry where the answer names none. It doubles each time. */
const FIRST_WAIT_MS = 500;

export type Answer<Data> = {
  /** The JSON of the answer. */
  readonly data: Data;
  /** The version of the model that answered. */
  readonly modelVersion: number | undefined;
  /** The id by which the gateway's log names the request. */
  readonly requestId: string | undefined;
};

export type Call = {
  readonly url: URL;
  readonly request: RequestInit;
  readonly fetch: typeof fetch;
  /** For all attempts and the waits between them. */
  readonly timeoutMs: number;
  /** How often it is tried again after 429 and 503. */
  readonly retries: number;
  readonly signal: AbortSignal | undefined;
};

/** Resolves to the answer. Throws TensorgateError, or the reason of the caller's signal. */
export async function call<Data>({ timeoutMs, signal: callers, ...rest }: Call): Promise<Answer<Data>> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = callers === undefined ? timeout : AbortSignal.any([callers, timeout]);
  try {
    return await attempts<Data>(rest, signal, performance.now() + timeoutMs);
  } catch (cause) {
    if (callers?.aborted) throw callers.reason;
    if (!timeout.aborted) throw cause;
    throw new TensorgateError({ kind: 'timeout', message: `no answer in ${timeoutMs} ms`, cause });
  }
}

type Attempt = Pick<Call, 'url' | 'request' | 'fetch' | 'retries'>;

/** A wait that would not end before the deadline is not begun. */
async function attempts<Data>(one: Attempt, signal: AbortSignal, deadlineMs: number): Promise<Answer<Data>> {
  for (let retry = 0; ; retry += 1) {
    try {
      return await send<Data>(one, signal);
    } catch (error) {
      if (!(error instanceof TensorgateError) || retry >= one.retries) throw error;
      if (error.status !== 429 && error.status !== 503) throw error;
      // Some of it by chance: clients that were refused together come back apart.
      const waitMs = error.retryAfterMs ?? FIRST_WAIT_MS * 2 ** retry * (0.5 + Math.random() / 2);
      if (performance.now() + waitMs >= deadlineMs) throw error;
      await sleep(waitMs, signal);
    }
  }
}

async function send<Data>({ url, request, fetch }: Attempt, signal: AbortSignal): Promise<Answer<Data>> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { ...request, signal });
    text = await response.text();
  } catch (cause) {
    throw new TensorgateError({ kind: 'unreachable', message: `no answer from ${url.origin}`, cause });
  }
  const { headers, status } = response;
  const requestId = headers.get('X-Request-Id') ?? undefined;
  const data = parsed(text);
  if (response.ok && data !== undefined) {
    const version = headers.get('X-Model-Version');
    return { data: data as Data, requestId, modelVersion: version === null ? undefined : Number(version) };
  }
  const facts = { status, requestId, retryAfterMs: retryAfterOf(headers) };
  if (isProblem(data)) throw new TensorgateError({ ...facts, kind: data.kind, message: data.detail, problem: data });
  throw new TensorgateError({
    ...facts,
    kind: 'unexpected_answer',
    message: `${url.origin} answered ${status} without a problem`,
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // A proxy's page: the answer is not the gateway's.
  }
}

function isProblem(data: unknown): data is Problem {
  return typeof data === 'object' && data !== null && 'kind' in data && 'detail' in data;
}

/** Retry-After: seconds or a date (RFC 9110). */
function retryAfterOf(headers: Headers): number | undefined {
  const text = headers.get('Retry-After');
  if (text === null) return undefined;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}

function sleep(waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, waitMs);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
