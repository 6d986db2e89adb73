/** POST /predict: the request's four forms in, class scores out. */
import type { Request } from 'express';
import { z } from 'zod';
import type { Instance } from '../../domain/picture.ts';
import type { RequestContext } from '../../domain/request.ts';
import { GatewayError } from '../../errors.ts';
import type { Answer } from '../../http/answer.ts';
import { type BodyReader, tooMany } from '../../http/body.ts';
import type { Handler } from '../../http/door.ts';
import { problemMembers } from '../../http/problem.ts';
import type { Classification, ClassifyRequest, Outcome } from '../../pipeline/classify.ts';
import type { Scores } from '../../scores/scores.ts';

export type PredictOptions = {
  readonly readBody: BodyReader;
  readonly maxInstances: number;
  /** Refuses at once, before the body is read, what could not be taken anyway. */
  readonly check: (context: RequestContext) => void;
  readonly classify: (request: ClassifyRequest, context: RequestContext) => Promise<Classification>;
};

/** What was asked: the images, and whether the answer is one flat map or a list of predictions. */
type Asked = { readonly instances: readonly Instance[]; readonly flat: boolean };

/** Makes the handler of POST /predict. */
export function createPredict({ readBody, maxInstances, check, classify }: PredictOptions): Handler {
  async function read(request: Request, response: Parameters<Handler>[1], signal: AbortSignal): Promise<Asked> {
    const given = request.get('content-type') ?? '';
    const [type = ''] = given.toLowerCase().split(/\s*;/);
    if (type === 'application/json') {
      requireUtf8(given);
      return instancesOf(await readBody.json(request, response, signal), maxInstances);
    }
    if (type.startsWith('image/')) {
      const bytes = await readBody.image(request, response, signal);
      return { instances: [{ kind: 'bytes', bytes, field: 'body' }], flat: true };
    }
    if (type === 'multipart/form-data') {
      const files = await readBody.files(request, response, signal);
      if (files.length === 0) throw new GatewayError('invalid_request', 'file: send at least one part named file.');
      return { instances: files.map((file) => ({ kind: 'bytes', ...file })), flat: files.length === 1 };
    }
    throw new GatewayError(
      'unsupported_media',
      `Content-Type is ${given.slice(0, 80) || 'missing'}; send application/json, multipart/form-data or image/*.`,
    );
  }

  return async (request, response, context) => {
    const query = parseQuery(request.query);
    check(context);
    const { instances, flat } = await read(request, response, context.signal);
    const { top, scores: wants, ...servable } = query;
    const { version, outcomes } = await classify({ servable, instances, wants, top }, context);
    return render(outcomes, flat, version);
  };
}

function requireUtf8(contentType: string): void {
  const [, charset = 'utf-8'] = /charset\s*=\s*"?([^";\s]+)/i.exec(contentType) ?? [];
  if (charset.toLowerCase() === 'utf-8') return;
  throw new GatewayError('unsupported_media', 'Content-Type: JSON is read as charset=utf-8 only.');
}

const once = { error: 'give it once' };
const query = z
  .object({
    top: z
      .string(once)
      .regex(/^[1-9]\d{0,5}$/, 'a whole number above zero')
      .transform(Number)
      .optional(),
    scores: z.enum(['raw', 'probabilities'], { error: 'raw or probabilities' }).default('raw'),
    model: z.string(once).min(1, 'the name of a model').optional(),
    version: z
      .string(once)
      .regex(/^[1-9]\d{0,14}$/, 'a whole number above zero')
      .transform(Number)
      .optional(),
    label: z.string(once).min(1, 'the name of a label').optional(),
  })
  .refine(({ version, label }) => version === undefined || label === undefined, {
    path: ['label'],
    message: 'give either a version or a label',
  });

function parseQuery(given: unknown) {
  const parsed = query.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new GatewayError('invalid_request', `query ${firstIssue(parsed.error)}`);
}

const text = z.string({ error: 'needs a string' }).min(1, 'must not be empty');
const image = z
  .object({ url: text.optional(), b64: text.optional() }, { error: 'needs an object such as {"url": "https://…"}' })
  .refine(({ url, b64 }) => (url === undefined) !== (b64 === undefined), {
    error: 'needs exactly one of url and b64',
  });
const flatBody = image;
const batchBody = z.object({
  instances: z.array(image, { error: 'needs a list of {"url": …} or {"b64": …}' }).min(1, 'must not be empty'),
});

/** The images of a JSON body; checks the count before it looks at any of them. */
function instancesOf(body: unknown, maxInstances: number): Asked {
  const isBatch = typeof body === 'object' && body !== null && 'instances' in body;
  if (isBatch && Array.isArray(body.instances) && body.instances.length > maxInstances) throw tooMany(maxInstances);
  if (isBatch && ('url' in body || 'b64' in body)) {
    throw new GatewayError('invalid_request', 'body: give either instances or one url or b64');
  }
  const parsed = isBatch ? batchBody.safeParse(body) : flatBody.safeParse(body);
  if (!parsed.success) throw new GatewayError('invalid_request', firstIssue(parsed.error));
  if (!('instances' in parsed.data)) return { instances: [instanceOf(parsed.data, '')], flat: true };
  const instances = parsed.data.instances.map((item, index) => instanceOf(item, `instances[${index}].`));
  return { instances, flat: false };
}

function instanceOf({ url, b64 }: z.output<typeof image>, prefix: string): Instance {
  if (url !== undefined) return { kind: 'url', url, field: `${prefix}url` };
  return { kind: 'bytes', bytes: fromBase64(b64 ?? '', `${prefix}b64`), field: `${prefix}b64` };
}

/**
 * RFC 4648 base64, standard or URL alphabet. Node's decoder skips what is not base64, so a short result betrays it; and
 * a last digit that alone makes no byte.
 */
function fromBase64(encoded: string, field: string): Buffer {
  const bytes = Buffer.from(encoded, 'base64');
  const digits = encoded.length - (encoded.endsWith('==') ? 2 : encoded.endsWith('=') ? 1 : 0);
  if (bytes.length === 0 || digits % 4 === 1 || bytes.length !== Math.floor((digits * 3) / 4)) {
    throw new GatewayError('invalid_request', `${field}: is not base64 (RFC 4648, without line breaks)`);
  }
  return bytes;
}

/** "instances[3].url: needs a string": the first mistake, with the path as people write it. */
function firstIssue({ issues }: z.ZodError): string {
  const [issue] = issues;
  const field = (issue?.path ?? []).reduce<string>(
    (path, key) => (typeof key === 'number' ? `${path}[${key}]` : `${path}${path && '.'}${String(key)}`),
    '',
  );
  return `${field || 'body'}: ${issue?.message}`;
}

function render(outcomes: readonly Outcome[], flat: boolean, version: number): Answer {
  const items = outcomes.map((outcome) =>
    'scores' in outcome ? renderScores(outcome.scores) : JSON.stringify({ error: problemMembers(outcome.error) }),
  );
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json', 'X-Model-Version': String(version) },
    body: flat ? (items[0] ?? '') : `{"predictions":[${items.join(',')}]}`,
  };
}

/** Written by hand because a JavaScript object would reorder classes named by numbers, and best-first order counts. */
function renderScores(scores: Scores): string {
  return `{${scores.map(([name, score]) => `${JSON.stringify(name)}:${JSON.stringify(score)}`).join(',')}}`;
}
