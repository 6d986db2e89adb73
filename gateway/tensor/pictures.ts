/** Instances that are pictures in JSON: {"url": …} or {"b64": …}. */
import { z } from 'zod';
import type { Instance } from '../domain/picture.ts';
import { GatewayError } from '../errors.ts';
import { decodeBase64, decodeDataUrl, isDataUrl } from './base64.ts';
import { idSchema } from './openapi.ts';
import { idText } from './record-id.ts';

export type Pictures = {
  readonly instances: readonly Instance[];
  /** The id of each instance as JSON text, where one has an id. */
  readonly ids: readonly (string | undefined)[];
};

/** JSON values for one picture. */
export const VALUES_OF_PICTURE = 16;
/** No URL is that long. Longer ones are not copied between threads. */
const MAX_URL_LENGTH = 2 ** 16;

/** Clients whose classes have all fields write the unused ones as null. */
const optional = <Field extends z.ZodType>(field: Field) => field.nullish().transform((value) => value ?? undefined);
const text = z.string({ error: 'needs a string' }).min(1, 'must not be empty');
const has = (name: 'url' | 'b64') => ({ required: [name], properties: { [name]: { type: 'string' } } });
/** One picture. `oneOf` is the JSON Schema of what `refine` checks. */
export const pictureSchema = z
  .object(
    {
      url: optional(text).describe('An http: or https: URL, a data: URL, or gs:// and s3:// of an allowed bucket.'),
      b64: optional(text).describe('The encoded picture in base64 (RFC 4648), or a data: URL.'),
      id: idSchema.optional(),
    },
    { error: 'needs an object such as {"url": "https://…"}' },
  )
  .refine(({ url, b64 }) => (url === undefined) !== (b64 === undefined), {
    error: 'needs exactly one of url and b64',
  })
  .meta({ id: 'Picture', description: 'A picture by its URL or in base64.', oneOf: [has('url'), has('b64')] });

/** Reads pictures; `place` names each of them, '' the body itself. Throws `invalid_request` with the first mistake. */
export function readPictures(items: readonly unknown[], place: (row: number) => string): Pictures {
  const pictures = items.map((item, row) => checked(item, place(row)));
  return {
    instances: pictures.map((one, row) => instanceOf(one, prefixOf(place(row)))),
    ids: pictures.map(({ id }, row) => idText(id, `${prefixOf(place(row))}id`)),
  };
}

/** The bytes that can move between threads. Smaller ones may be in the memory that Buffer shares. */
export function memoryOfPictures(instances: readonly Instance[]): readonly ArrayBuffer[] {
  return instances.flatMap((one) =>
    one.kind !== 'url' && one.bytes.length > Buffer.poolSize ? [one.bytes.buffer as ArrayBuffer] : [],
  );
}

function checked(item: unknown, place: string): z.output<typeof pictureSchema> {
  const parsed = pictureSchema.safeParse(item);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = [...(place ? [place] : []), ...(issue?.path ?? [])].join('.');
  throw new GatewayError('invalid_request', `${field || 'body'}: ${issue?.message}`);
}

function prefixOf(place: string): string {
  return place === '' ? '' : `${place}.`;
}

/** A data: URL is not fetched: it has the image in it. */
function instanceOf({ url, b64 }: z.output<typeof pictureSchema>, prefix: string): Instance {
  if (url !== undefined) {
    const field = `${prefix}url`;
    if (isDataUrl(url)) return { kind: 'bytes', bytes: decodeDataUrl(url, field), field };
    if (url.length > MAX_URL_LENGTH) throw new GatewayError('invalid_url', `${field}: the URL is too long`);
    return { kind: 'url', url, field };
  }
  return { kind: 'bytes', bytes: decodeBase64(b64 ?? '', `${prefix}b64`), field: `${prefix}b64` };
}
