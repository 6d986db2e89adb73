/** The drill's HTTP client: one connection per request, every response bounded in time and size. */
import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than REQUEST_TIMEOUT's default of 20 s, to see the gateway's own 504. */
const RESPONSE_TIMEOUT_MS = 22_000;
/** Far above any valid response. The rest is not read. */
export const MAX_RESPONSE_BYTES = 1e6;
const MAX_RETRY_AFTER_S = 5;
const MAX_TRIES = 4;

export type EndpointResponse = {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  readonly durationMs: number;
};

export type SendOptions = {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
};

export type Endpoint = {
  readonly url: URL;
  /** The value of --key, if any. */
  readonly key: string | undefined;
  /** The path of /predict with the query of the endpoint's URL, without the prefix. */
  readonly predictPath: string;
  /** A path as it is sent: behind the prefix, and otherwise unchanged. */
  targetOf(path: string): string;
  /**
   * Sends a request to a path behind the prefix. A 429 is retried after Retry-After. Rejects if there is no response.
   */
  send(path: string, options?: SendOptions): Promise<EndpointResponse>;
  /** POSTs to /predict. */
  predict(body: string | Uint8Array, type: string, headers?: http.OutgoingHttpHeaders): Promise<EndpointResponse>;
  predictJson(body: unknown): Promise<EndpointResponse>;
  predictPicture(bytes: Uint8Array): Promise<EndpointResponse>;
};

export type EndpointOptions = {
  /** Its path is the prefix of every route. Its query is sent to /predict only. */
  readonly url: URL;
  readonly key: string | undefined;
  /** Aborts all requests. */
  readonly signal: AbortSignal;
};

/** Creates the client. Opens no connection. */
export function createEndpoint({ url, key, signal: drillSignal }: EndpointOptions): Endpoint {
  const prefix = url.pathname.replace(/\/$/, '');
  const predictPath = `/predict${url.search}`;
  const targetOf = (path: string) => prefix + path;
  const authorization = key === undefined ? {} : { Authorization: `Bearer ${key}` };

  async function send(path: string, sendOptions: SendOptions = {}): Promise<EndpointResponse> {
    for (let tries = 1; ; tries += 1) {
      const response = await sendOnce(path, sendOptions);
      const waitS = Number(response.headers['retry-after'] ?? 1);
      if (response.status !== 429 || tries === MAX_TRIES || !(waitS <= MAX_RETRY_AFTER_S)) return response;
      await sleep(waitS * 1000);
    }
  }

  async function sendOnce(
    path: string,
    { method = 'GET', headers = {}, body, signal }: SendOptions,
  ): Promise<EndpointResponse> {
    const startedMs = performance.now();
    const timeout = AbortSignal.timeout(RESPONSE_TIMEOUT_MS);
    const options = {
      method,
      path: targetOf(path),
      headers: {
        ...authorization,
        ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
        ...headers,
      },
      agent: false as const,
      signal: AbortSignal.any([drillSignal, timeout, ...(signal ? [signal] : [])]),
    };
    const request = url.protocol === 'https:' ? https.request(url, options) : http.request(url, options);
    const response = await responseTo(request, body).catch((cause: NodeJS.ErrnoException) => {
      const why = timeout.aborted ? `within ${RESPONSE_TIMEOUT_MS / 1000} s` : `(${cause.code ?? cause.message})`;
      throw new Error(`no response ${why}`, { cause });
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
    send(predictPath, { method: 'POST', headers: { 'Content-Type': type, ...headers }, body });
  return {
    url,
    key,
    predictPath,
    targetOf,
    send,
    predict,
    predictJson: (body) => predict(typeof body === 'string' ? body : JSON.stringify(body), 'application/json'),
    predictPicture: (bytes) => predict(bytes, 'image/png'),
  };
}

async function readText(response: http.IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MAX_RESPONSE_BYTES) break;
  }
  return text;
}

/**
 * The response head. A response that arrives before the body is sent completely counts, even if the send then fails.
 */
function responseTo(request: http.ClientRequest, body: string | Uint8Array | undefined): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  request.once('response', resolve);
  request.on('error', reject);
  request.end(body);
  return promise;
}
