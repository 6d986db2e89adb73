/** Decodes images that are text: base64 as tools write it, and data: URLs. */
import { GatewayError } from '../errors.ts';

const DATA_URL = /^\s*data:/i;
const BASE64_PARAMETER = /;\s*base64\s*$/i;
const PERCENT = 0x25;
/** The value of a hexadecimal digit by its character code; -1 for other characters. */
const HEX = new Int8Array(256).fill(-1);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  HEX[digit.charCodeAt(0)] = value;
  HEX[digit.toUpperCase().charCodeAt(0)] = value;
}

/**
 * Decodes base64 (RFC 4648, standard or URL alphabet, padded or not), with or without line breaks (RFC 2045, 6.8), or a
 * data: URL. Throws `invalid_request` with the field for anything else.
 */
export function decodeBase64(text: string, field: string): Buffer {
  return isDataUrl(text) ? decodeDataUrl(text, field) : decodeDigits(text, field);
}

/** True for text that begins like a data: URL. */
export function isDataUrl(text: string): boolean {
  return DATA_URL.test(text);
}

/**
 * Decodes a data: URL (RFC 2397), `;base64` or percent-encoded. Its media type is ignored: the format of an image is
 * detected by content. Throws `invalid_request` with the field.
 */
export function decodeDataUrl(text: string, field: string): Buffer {
  const comma = text.indexOf(',');
  if (comma < 0) throw new GatewayError('invalid_request', `${field}: a data: URL needs a comma before its data`);
  const data = percentDecode(text.slice(comma + 1));
  return BASE64_PARAMETER.test(text.slice(0, comma)) ? decodeDigits(data.toString('latin1'), field) : data;
}

/** Node's decoder skips every character that is no digit, so the length of the result is checked. */
function decodeDigits(text: string, field: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  const encoded = text.trimEnd();
  const padding = encoded.endsWith('==') ? 2 : encoded.endsWith('=') ? 1 : 0;
  const digits = encoded.length - padding;
  if (hasLength(bytes, digits) || hasLength(bytes, digits - countWhiteSpace(encoded))) return bytes;
  throw new GatewayError('invalid_request', `${field}: is not base64 (RFC 4648)`);
}

/** Whether the bytes are those of so many digits. A single last digit is less than a byte and is refused too. */
function hasLength({ length }: Buffer, digits: number): boolean {
  return length > 0 && digits % 4 !== 1 && length === Math.floor((digits * 3) / 4);
}

/** A loop: a regular expression takes a second for 10 MB with a space after every digit. */
function countWhiteSpace(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    // Space, line feed, carriage return, tab, form feed.
    if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09 || code === 0x0c) count += 1;
  }
  return count;
}

/** Decodes %XX. A percent sign without two hexadecimal digits is kept, as in the URL standard. */
function percentDecode(text: string): Buffer {
  const bytes = Buffer.from(text);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    const high = byte === PERCENT ? (HEX[bytes[at + 1] ?? 0] as number) : -1;
    const low = byte === PERCENT ? (HEX[bytes[at + 2] ?? 0] as number) : -1;
    const isEscape = high >= 0 && low >= 0;
    bytes[length] = isEscape ? high * 16 + low : byte;
    length += 1;
    if (isEscape) at += 2;
  }
  return bytes.subarray(0, length);
}
