/**
 * Posts lines as CloudEvents 1.0 to a collector, in batched content mode (HTTP protocol binding 3.3). Types and extensions are
 * those of KServe's inference logger, so that a broker's triggers for KServe take them too.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Destination } from './buffer.ts';
import { type ComparisonLine, type FeedbackLine, type PredictionLine, SCHEMA_VERSION } from './schema.ts';

const CONTENT_TYPE = 'application/cloudevents-batch+json; charset=utf-8';
type Line = PredictionLine | FeedbackLine | ComparisonLine;

/** One line has all of a prediction, its input too: there is no event of the request beside it. */
const TYPES = {
  prediction: 'org.kubeflow.serving.inference.response',
  feedback: 'org.kubeflow.serving.feedback',
  comparison: 'org.kubeflow.serving.inference.comparison',
} as const;

const MAX_TRIES = 5;
const FIRST_DELAY_MS = 500;
const TRY_TIMEOUT_MS = 10_000;
/** A collector that asks for a longer wait is tried again after this one. */
const MAX_WAIT_MS = 30_000;
/** Statuses after which another try may succeed. */
const TEMPORARY: ReadonlySet<number> = new Set([408, 425, 429]);

export type CollectorOptions = {
  /** http: or https:. Its user and password are sent as Basic authentication. */
  readonly url: string;
  readonly firstDelayMs?: number;
};

/** The collector did not take a batch. */
class Refused extends Error {
  readonly isTemporary: boolean;
  /** What it asks to wait, by Retry-After in seconds (RFC 9110, 10.2.3). 0 without it. */
  readonly waitMs: number;

  constructor({ status, headers }: Response) {
    super(`the collector answered with status ${status}`);
    this.isTemporary = status >= 500 || TEMPORARY.has(status);
    const seconds = /^\d+$/.exec(headers.get('retry-after') ?? '')?.[0] ?? 0;
    this.waitMs = Math.min(Number(seconds) * 1000, MAX_WAIT_MS);
  }
}

/** Lines of a batch are lost after 5 tries, each of up to 10 s and followed by a wait of up to 38 s, or when the collector refuses them (4xx). */
export function openCollector({ url, firstDelayMs = FIRST_DELAY_MS }: CollectorOptions): Destination {
  const { address, headers } = addressOf(url);

  async function post(body: string, signal: AbortSignal): Promise<void> {
    const timeout = AbortSignal.timeout(TRY_TIMEOUT_MS);
    const response = await fetch(address, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Refused(response);
  }

  return {
    async write(lines, signal) {
      const body = `[${lines.map(eventJson)}]`;
      for (let tries = 1; ; tries += 1) {
        let waitMs = 0;
        try {
          return await post(body, signal);
        } catch (cause) {
          const isFinal = cause instanceof Refused && !cause.isTemporary;
          if (isFinal || tries === MAX_TRIES || signal.aborted) throw cause;
          if (cause instanceof Refused) waitMs = cause.waitMs;
        }
        // Full jitter: replicas that failed together do not come back together.
        await sleep(waitMs + Math.random() * firstDelayMs * 2 ** tries, undefined, { signal });
      }
    },
    async close() {},
  };
}

/** fetch takes no user and password in a URL. */
function addressOf(given: string): { readonly address: string; readonly headers: Record<string, string> } {
  const url = new URL(given);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const headers: Record<string, string> = { 'Content-Type': CONTENT_TYPE, 'User-Agent': 'tensorgate' };
  if (username || password) {
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    headers.Authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  }
  return { address: url.href, headers };
}

/** The event of a line. */
function eventJson(line: string): string {
  const data = JSON.parse(line) as Line;
  const event = {
    specversion: '1.0',
    ...aboutOf(data),
    type: TYPES[data.kind],
    time: data.time,
    datacontenttype: 'application/json',
    dataschema: `urn:tensorgate:${data.kind}:${SCHEMA_VERSION}`,
  };
  return `${JSON.stringify(event).slice(0, -1)},"data":${line}}`;
}

/** `id` with `source` is unique: a request has one line for each row, for each row that is compared, and for each label. */
function aboutOf(data: Line) {
  if (data.kind === 'feedback') return { id: `${data.request_id}/${data.id}`, source: '/feedback' };
  const source = `/v1/models/${encodeURIComponent(data.model)}`;
  const about = { source, inferenceservicename: data.model, component: 'predictor' };
  const id = `${data.request_id}/${data.row ?? ''}`;
  if (data.kind === 'comparison') return { ...about, id: `${id}/${data.version}/${data.against}` };
  return { ...about, id, endpoint: data.signature };
}
