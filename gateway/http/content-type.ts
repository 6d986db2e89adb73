/** The Content-Type of a request, and whether it is JSON. */
import { MIMEType } from 'node:util';
import type { Request } from 'express';
import { GatewayError } from '../errors.ts';

/** Whether the body is JSON, by its Content-Type. Throws `unsupported_media` for JSON in another charset than UTF-8. */
export function isJsonRequest(request: Request): boolean {
  const { given, type } = contentType(request);
  if (!isJson(type)) return false;
  requireUtf8(given);
  return true;
}

/** For a longer one Node takes a time that grows with the square of its length. Boundaries of forms have at most 70. */
export const MAX_CONTENT_TYPE_LENGTH = 512;

/** The header, and the type without parameters in lower case. Throws `unsupported_media` for a long one. */
export function contentType(request: Request): { readonly given: string; readonly type: string } {
  const given = (request.get('content-type') ?? '').trim();
  if (given.length > MAX_CONTENT_TYPE_LENGTH) {
    throw new GatewayError('unsupported_media', `Content-Type: has more than ${MAX_CONTENT_TYPE_LENGTH} characters.`);
  }
  const [type = ''] = given.toLowerCase().split(';', 1);
  return { given, type: type.trimEnd() };
}

/** Both parts are tokens (RFC 9110, 5.6.2). */
const OTHER_JSON = /^[!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+\+json$/;

/** The JSON MIME types of the MIME Sniffing standard. */
function isJson(type: string): boolean {
  return type === 'application/json' || type === 'text/json' || OTHER_JSON.test(type);
}

/** Throws `unsupported_media` for a charset other than UTF-8, by any label of the Encoding standard, and its part ASCII. */
function requireUtf8(contentType: string): void {
  if (!contentType.includes(';')) return;
  const charset = new MIMEType(contentType).params.get('charset') || 'utf-8';
  if (/^(us-)?ascii$/i.test(charset) || isUtf8Label(charset)) return;
  throw new GatewayError('unsupported_media', 'Content-Type: JSON is read as charset=utf-8 only.');
}

function isUtf8Label(charset: string): boolean {
  try {
    return new TextDecoder(charset).encoding === 'utf-8';
  } catch {
    return false; // a label of no encoding
  }
}
