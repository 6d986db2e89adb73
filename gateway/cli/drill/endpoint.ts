/** The deployed endpoint as the drill talks to it: one connection a request, every answer bounded in time and size. */
import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than the gateway's own deadline of 20 s, so that a 504 of its own is still read. */
const ANSWER_TIMEOUT_MS = 22_000;
/** Far more than any answer holds; the rest is left unread. */
const MAX_ANSWER_BYTES = 1e6;
const MAX_RETRY_AFTER_S = 5;
const MAX_TRIES = 4;

export type Answer = {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  readonly durationMs: number;
};

export type Ask = {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
};

export type Endpoint = {
  readonly url: URL;
  /** The API key that was given, if any. */
  readonly key: string | undefined;
  /** The path of /predict, with the query that the endpoint's URL was given. */
  readonly predictPath: string;
  /** Sends a request to a path, written as it is. A 429 is waited out. Rejects where no answer comes. */
  ask(path: string, ask?: Ask): Promise<Answer>;
  /** POSTs to /predict. */
  predict(body: string | Uint8Array, type: string, headers?: http.OutgoingHttpHeaders): Promise<Answer>;
  predictJson(body: unknown): Promise<Answer>;
  predictPicture(bytes: Uint8Array): Promise<Answer>;
};

export type EndpointOptions = {
  /** Its path is the prefix of every route, its query that of /predict. */
  readonly url: URL;
  readonly key: string | undefined;
  /** Ends every request once it is aborted. */
  readonly signal: AbortSignal;
};

/** Opens nothing yet. */
export function createEndpoint({ url, key, signal: end }: EndpointOptions): Endpoint {
  const prefix = url.pathname.replace(/\/$/, '');
  const predictPath = `${prefix}/predict${url.search}`;
  const authorization = key === undefined ? {} : { Authorization: `Bearer ${key}` };

  async function ask(path: string, asked: Ask = {}): Promise<Answer> {
    for (let tries = 1; ; tries += 1) {
      const answer = await send(path, asked);
      const waitS = Number(answer.headers['retry-after'] ?? 1);
      if (answer.status !== 429 || tries === MAX_TRIES || !(waitS <= MAX_RETRY_AFTER_S)) return answer;
      await sleep(waitS * 1000);
    }
  }

  async function send(path: string, { method = 'GET', headers = {}, body, signal }: Ask): Promise<Answer> {
    const startedMs = performance.now();
    const limit = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const options = {
      method,
      path: path.startsWith(prefix) ? path : prefix + path,
      headers: {
        ...authorization,
        ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
        ...headers,
      },
      agent: false as const,
      signal: AbortSignal.any([end, limit, ...(signal ? [signal] : [])]),
    };
    const request = url.protocol === 'https:' ? https.request(url, options) : http.request(url, options);
    const response = await answerTo(request, body).catch((cause: NodeJS.ErrnoException) => {
      const why = limit.aborted ? `within ${ANSWER_TIMEOUT_MS / 1000} s` : `(${cause.code ?? cause.message})`;
      throw new Error(`no answer ${why}`, { cause });
    });
    const text = await readText(response);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      text,
      durationMs: performance.now() - startedMs,
    };
  }

  const predict: Endpoint['predict'] = (body, type, headers = {}) =>
    ask(predictPath, { method: 'POST', headers: { 'Content-Type': type, ...headers }, body });
  return {
    url,
    key,
    predictPath,
    ask,
    predict,
    predictJson: (body) => predict(typeof body === 'string' ? body : JSON.stringify(body), 'application/json'),
    predictPicture: (bytes) => predict(bytes, 'image/png'),
  };
}

async function readText(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString();
}

/** The head of the answer. One that comes while the body is still being sent counts, though the sending then fails. */
function answerTo(request: http.ClientRequest, body: string | Uint8Array | undefined): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  request.once('response', resolve);
  request.on('error', reject);
  request.end(body);
  return promise;
}
