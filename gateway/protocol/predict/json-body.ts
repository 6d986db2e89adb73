/** The JSON body of POST /predict: one image, or a list of `instances`. */
import { GatewayError } from '../../errors.ts';
import { tooManyInstances } from '../../http/body-limits.ts';
import type { JsonFormat } from '../../http/json/format.ts';
import { memoryOfPictures, type Pictures, readPictures, VALUES_OF_PICTURE } from '../../tensor/pictures.ts';

/** `flat`: the answer is one map of scores, not a list of predictions. */
export type JsonBody = Pictures & { readonly flat: boolean };

export type JsonOptions = { readonly maxInstances: number };

/** A bound for a deep field that is ignored. */
export const MAX_DEPTH = 64;
/** JSON values for what is beside the images and ignored. */
export const OTHER_VALUES = 1000;

export const format: JsonFormat<JsonOptions, JsonBody> = {
  module: import.meta.url,
  example: '{"url": "https://…/pants.jpg"}',
  limits: ({ maxInstances }) => ({
    maxDepth: MAX_DEPTH,
    maxValues: OTHER_VALUES + maxInstances * VALUES_OF_PICTURE,
    setting: 'MAX_INSTANCES',
  }),
  read: parseJsonBody,
  memory: ({ instances }) => memoryOfPictures(instances),
};

/** Reads the images of a parsed body. Checks their number first. Throws `invalid_request` and `body_too_large`. */
function parseJsonBody(body: unknown, { maxInstances }: JsonOptions): JsonBody {
  const { instances: list, url, b64 } = fieldsOf(body);
  if (!isGiven(list)) return { ...readPictures([body], () => ''), flat: true };
  if (!Array.isArray(list)) {
    throw new GatewayError('invalid_request', 'instances: needs a list of {"url": …} or {"b64": …}');
  }
  if (list.length > maxInstances) throw tooManyInstances(maxInstances);
  if (isGiven(url) || isGiven(b64)) {
    throw new GatewayError('invalid_request', 'body: give either instances or one url or b64');
  }
  if (list.length === 0) throw new GatewayError('invalid_request', 'instances: must not be empty');
  return { ...readPictures(list, (row) => `instances[${row}]`), flat: false };
}

type Fields = { readonly instances?: unknown; readonly url?: unknown; readonly b64?: unknown };

function fieldsOf(body: unknown): Fields {
  return typeof body === 'object' && body !== null ? body : {};
}

function isGiven(field: unknown): boolean {
  return field !== undefined && field !== null;
}
