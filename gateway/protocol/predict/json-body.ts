/** The JSON body of POST /predict: one image, or a list of `instances`. */
import { z } from 'zod';
import type { Instance } from '../../domain/picture.ts';
import { GatewayError } from '../../errors.ts';
import { tooManyInstances } from '../../http/body-limits.ts';
import type { JsonFormat } from '../../http/json/format.ts';
import { decodeBase64, decodeDataUrl, isDataUrl } from '../../tensor/base64.ts';
import { idText } from '../../tensor/record-id.ts';

/** `flat`: the answer is one map of scores, not a list of predictions. */
export type JsonBody = {
  readonly instances: readonly Instance[];
  readonly flat: boolean;
  /** The id of each instance as JSON text, where one has an id. */
  readonly ids: readonly (string | undefined)[];
};

export type JsonOptions = { readonly maxInstances: number };

/** A bound for a deep field that is ignored. */
export const MAX_DEPTH = 64;
/** JSON values for one image, and for what is beside the images and ignored. */
export const VALUES_OF_IMAGE = 16;
export const OTHER_VALUES = 1000;
/** No URL is that long. Longer ones are not copied between threads. */
const MAX_URL_LENGTH = 2 ** 16;

export const format: JsonFormat<JsonOptions, JsonBody> = {
  module: import.meta.url,
  example: '{"url": "https://…/pants.jpg"}',
  limits: ({ maxInstances }) => ({
    maxDepth: MAX_DEPTH,
    maxValues: OTHER_VALUES + maxInstances * VALUES_OF_IMAGE,
    setting: 'MAX_INSTANCES',
  }),
  read: parseJsonBody,
  // Smaller bytes may be in the memory that Buffer shares.
  memory: ({ instances }) =>
    instances.flatMap((one) =>
      one.kind === 'bytes' && one.bytes.length > Buffer.poolSize ? [one.bytes.buffer as ArrayBuffer] : [],
    ),
};

/** Clients whose classes have all fields write the unused ones as null. */
const optional = <Field extends z.ZodType>(field: Field) => field.nullish().transform((value) => value ?? undefined);
const text = z.string({ error: 'needs a string' }).min(1, 'must not be empty');
const image = z
  .object(
    { url: optional(text), b64: optional(text), id: z.unknown().optional() },
    { error: 'needs an object such as {"url": "https://…"}' },
  )
  .refine(({ url, b64 }) => (url === undefined) !== (b64 === undefined), {
    error: 'needs exactly one of url and b64',
  });
const flatBody = image;
const batchBody = z.object({
  instances: z.array(image, { error: 'needs a list of {"url": …} or {"b64": …}' }).min(1, 'must not be empty'),
});

/** Reads the images of a parsed body. Checks their number first. Throws `invalid_request` and `body_too_large`. */
function parseJsonBody(body: unknown, { maxInstances }: JsonOptions): JsonBody {
  const { instances: list, url, b64 } = fieldsOf(body);
  const isBatch = isGiven(list);
  if (Array.isArray(list) && list.length > maxInstances) throw tooManyInstances(maxInstances);
  if (isBatch && (isGiven(url) || isGiven(b64))) {
    throw new GatewayError('invalid_request', 'body: give either instances or one url or b64');
  }
  const parsed = isBatch ? batchBody.safeParse(body) : flatBody.safeParse(body);
  if (!parsed.success) throw new GatewayError('invalid_request', firstIssue(parsed.error));
  if (!('instances' in parsed.data)) {
    return { instances: [instanceOf(parsed.data, '')], flat: true, ids: [idText(parsed.data.id, 'id')] };
  }
  const instances = parsed.data.instances.map((item, index) => instanceOf(item, `instances[${index}].`));
  return {
    instances,
    flat: false,
    ids: parsed.data.instances.map(({ id }, index) => idText(id, `instances[${index}].id`)),
  };
}

type Fields = { readonly instances?: unknown; readonly url?: unknown; readonly b64?: unknown };

function fieldsOf(body: unknown): Fields {
  return typeof body === 'object' && body !== null ? body : {};
}

function isGiven(field: unknown): boolean {
  return field !== undefined && field !== null;
}

/** A data: URL is not fetched: it has the image in it. */
function instanceOf({ url, b64 }: z.output<typeof image>, prefix: string): Instance {
  if (url !== undefined) {
    const field = `${prefix}url`;
    if (isDataUrl(url)) return { kind: 'bytes', bytes: decodeDataUrl(url, field), field };
    if (url.length > MAX_URL_LENGTH) throw new GatewayError('invalid_url', `${field}: the URL is too long`);
    return { kind: 'url', url, field };
  }
  return { kind: 'bytes', bytes: decodeBase64(b64 ?? '', `${prefix}b64`), field: `${prefix}b64` };
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
