/** Parses requests to POST /predict: JSON with URLs or base64, uploaded files, or an image as the body. */
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Instance } from '../../domain/picture.ts';
import { GatewayError } from '../../errors.ts';
import { type BodyReader, tooManyInstances } from '../../http/body.ts';

/** `flat`: the answer is one map of scores, not a list of predictions. */
export type PredictBody = { readonly instances: readonly Instance[]; readonly flat: boolean };

/** Reads the body by its Content-Type. Throws `unsupported_media`, `invalid_request` and the errors of the reader. */
export async function readPredictBody(
  readBody: BodyReader,
  maxInstances: number,
  exchange: { readonly request: Request; readonly response: Response; readonly signal: AbortSignal },
): Promise<PredictBody> {
  const given = exchange.request.get('content-type') ?? '';
  const [type = ''] = given.toLowerCase().split(/\s*;/);
  if (type === 'application/json') {
    requireUtf8(given);
    return parseBody(await readBody.json(exchange, EXAMPLE), maxInstances);
  }
  if (type.startsWith('image/')) {
    const bytes = await readBody.image(exchange);
    return { instances: [{ kind: 'bytes', bytes, field: 'body' }], flat: true };
  }
  if (type === 'multipart/form-data') {
    const files = await readBody.files(exchange);
    if (files.length === 0) throw new GatewayError('invalid_request', 'file: send at least one part named file.');
    return { instances: files.map((file) => ({ kind: 'bytes', ...file })), flat: files.length === 1 };
  }
  throw new GatewayError(
    'unsupported_media',
    `Content-Type is ${given.slice(0, 80) || 'missing'}; send application/json, multipart/form-data or image/*.`,
  );
}

/** For error texts. */
const EXAMPLE = '{"url": "https://…/pants.jpg"}';

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

/** Parses the query of /predict. Throws `invalid_request`. */
export function parsePredictQuery(given: unknown) {
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

/** The images of a JSON body. Checks their number first. */
function parseBody(body: unknown, maxInstances: number): PredictBody {
  const isBatch = typeof body === 'object' && body !== null && 'instances' in body;
  if (isBatch && Array.isArray(body.instances) && body.instances.length > maxInstances)
    throw tooManyInstances(maxInstances);
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
  return { kind: 'bytes', bytes: decodeBase64(b64 ?? '', `${prefix}b64`), field: `${prefix}b64` };
}

/**
 * Decodes base64 (RFC 4648, standard or URL alphabet). Node's decoder skips invalid characters, so the length of the
 * result is checked. A single last digit is less than a byte and is refused too.
 */
function decodeBase64(encoded: string, field: string): Buffer {
  const bytes = Buffer.from(encoded, 'base64');
  const digits = encoded.length - (encoded.endsWith('==') ? 2 : encoded.endsWith('=') ? 1 : 0);
  if (bytes.length === 0 || digits % 4 === 1 || bytes.length !== Math.floor((digits * 3) / 4)) {
    throw new GatewayError('invalid_request', `${field}: is not base64 (RFC 4648, without line breaks)`);
  }
  return bytes;
}

/** The first error with its path: `instances[3].url: needs a string`. */
function firstIssue({ issues }: z.ZodError): string {
  const [issue] = issues;
  const field = (issue?.path ?? []).reduce<string>(
    (path, key) => (typeof key === 'number' ? `${path}[${key}]` : `${path}${path && '.'}${String(key)}`),
    '',
  );
  return `${field || 'body'}: ${issue?.message}`;
}
