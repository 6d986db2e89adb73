/** The client for browsers and Node: `import { createClient } from 'tensorgate/client'`. docs/clients.md shows its use. */
import { bodyOf, type Input, type ManyInput, type PictureInput } from './body.ts';
import { type Answer, call } from './call.ts';
import type { ListedScores, Model, Prediction, Predictions, PredictQuery, Record, Value } from './schema.ts';

export type { ManyInput, PictureInput, Upload } from './body.ts';
export type { Answer } from './call.ts';
export { type FailureKind, type Problem, TensorgateError } from './failure.ts';
export type {
  FailedPrediction,
  Failure,
  Instance,
  ListedScores,
  Model,
  Picture,
  Prediction,
  PredictionOfInstance,
  Predictions,
  PredictQuery,
  ScoreList,
  Value,
} from './schema.ts';

const DEFAULTS = { timeoutMs: 30_000, retries: 3 };

/** A value for each input of a model: a row of a table. */
export type TableRecord = Record;

/** The scores of a picture by the names of the classes. */
export type Scores = { readonly [className: string]: number };

export type ClientOptions = {
  /** The address of the gateway. A path is kept: `https://example.com/models` sends to `/models/predict`. */
  readonly url: string | URL;
  readonly apiKey?: string | undefined;
  /** For each call, with all its attempts; 30,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** Retries of a call after 429 and 503, each at the time in Retry-After. Default: 3. 0 turns them off. */
  readonly retries?: number | undefined;
  /** In place of the global one: for a proxy, or a test. */
  readonly fetch?: typeof fetch | undefined;
};

export type CallOptions = Pick<ClientOptions, 'timeoutMs' | 'retries'> & {
  readonly signal?: AbortSignal | undefined;
  /** Sent as X-Request-Id; by default the gateway makes one. */
  readonly requestId?: string | undefined;
};

export type PredictOptions = { readonly [Name in keyof PredictQuery]: PredictQuery[Name] | undefined } & CallOptions;

/** Every call throws TensorgateError where it fails, and the signal's reason where the caller ends it. */
export type Client = {
  /** The scores of a picture as a list of classes. */
  predict(input: PictureInput, options: PredictOptions & { readonly format: 'list' }): Promise<Answer<ListedScores>>;
  /** Several pictures or records in one request. One that cannot be read has an `error` in its place. */
  predict(input: ManyInput, options?: PredictOptions): Promise<Answer<Predictions>>;
  /** The scores of a picture. */
  predict(input: PictureInput, options?: PredictOptions): Promise<Answer<Scores>>;
  /** The outputs for a record; `Outputs` says which the model has. */
  predict<Outputs = Prediction | Value>(input: TableRecord, options?: PredictOptions): Promise<Answer<Outputs>>;
  /** The models, with their classes or signatures and their versions. */
  models(options?: CallOptions): Promise<Answer<{ readonly models: readonly Model[] }>>;
};

/** Makes a client. Throws TypeError for a URL that is not absolute. */
export function createClient(options: ClientOptions): Client {
  const base = new URL(options.url);
  base.pathname = base.pathname.replace(/\/?$/, '/');
  // Not called as a method: a browser's fetch refuses another `this`.
  const { apiKey, fetch = globalThis.fetch, ...defaults } = options;

  function send<Data>(url: URL, request: RequestInit, given: CallOptions, contentType?: string): Promise<Answer<Data>> {
    const { signal, requestId } = given;
    const headers = new Headers();
    if (apiKey !== undefined) headers.set('X-API-Key', apiKey);
    if (requestId !== undefined) headers.set('X-Request-Id', requestId);
    if (contentType !== undefined) headers.set('Content-Type', contentType);
    const timeoutMs = given.timeoutMs ?? defaults.timeoutMs ?? DEFAULTS.timeoutMs;
    const retries = given.retries ?? defaults.retries ?? DEFAULTS.retries;
    return call<Data>({ url, request: { ...request, headers }, fetch, timeoutMs, retries, signal });
  }

  async function predict(input: Input, { signal, requestId, timeoutMs, retries, ...query }: PredictOptions = {}) {
    const url = new URL('predict', base);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const { body, contentType } = bodyOf(input);
    return send<never>(url, { method: 'POST', body }, { signal, requestId, timeoutMs, retries }, contentType);
  }

  return { predict, models: async (given = {}) => send(new URL('models', base), {}, given) };
}
