/** Reads the body of POST /predict: JSON with URLs or base64, a form with files, or an image as the body. */
import type { Request, Response } from 'express';
import type { Instance } from '../../domain/picture.ts';
import { GatewayError } from '../../errors.ts';
import type { BodyReader } from '../../http/body.ts';
import { contentType, isJsonRequest } from '../../http/content-type.ts';
import type { FormFields } from '../../http/form.ts';
import { format, type JsonBody } from './json-body.ts';

export type PredictBody = {
  readonly instances: readonly Instance[];
  /** The answer is one map of scores, not a list of predictions. */
  readonly flat: boolean;
  /** The id of each instance as JSON text. */
  readonly ids?: JsonBody['ids'];
  /** The text fields of a form. */
  readonly fields?: FormFields;
};

/**
 * The types that clients send for bytes of an unknown kind: `requests` and fetch() none, S3 tools binary/octet-stream, curl
 * and urllib the type of a form. JSON needs its own type: a page may send the others to any host without a preflight.
 */
const UNTYPED: readonly string[] = [
  '',
  'application/octet-stream',
  'binary/octet-stream',
  'application/x-www-form-urlencoded',
];

/** Reads the body by its Content-Type. Throws `unsupported_media`, `invalid_request` and the errors of the reader. */
export async function readPredictBody(
  readBody: BodyReader,
  maxInstances: number,
  exchange: { readonly request: Request; readonly response: Response; readonly signal: AbortSignal },
): Promise<PredictBody> {
  const { given, type } = contentType(exchange.request);
  if (isJsonRequest(exchange.request)) return readBody.json(exchange, format, { maxInstances });
  if (type === 'multipart/form-data') {
    const { files, fields } = await readBody.form(exchange);
    if (files.length === 0) throw new GatewayError('invalid_request', 'file: send at least one part named file.');
    return { instances: files.map((file) => ({ kind: 'bytes', ...file })), flat: files.length === 1, fields };
  }
  const isImage = type.startsWith('image/');
  if (isImage || UNTYPED.includes(type)) {
    const bytes = await readBody.image(exchange);
    if (isImage || !isText(bytes)) return { instances: [{ kind: 'bytes', bytes, field: 'body' }], flat: true };
  }
  throw new GatewayError(
    'unsupported_media',
    `Content-Type is ${given.slice(0, 80) || 'missing'}; send application/json, multipart/form-data or image/*.`,
  );
}

/** True for bytes without control characters at their start. The first bytes of every image format have some. */
function isText(bytes: Buffer): boolean {
  return bytes.subarray(0, 32).every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d));
}
