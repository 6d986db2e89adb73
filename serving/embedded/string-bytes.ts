/**
 * TensorFlow's strings are any bytes. ONNX Runtime for Node takes JavaScript strings, as UTF-8, and cuts them at a zero
 * byte. Text that is UTF-8 without zeros passes as it is. Every other byte is replaced by one of 256 code points for
 * private use, and a string that has such a code point already by four of them, so that all bytes come back unchanged.
 */

import { isUtf8 } from 'node:buffer';

const FIRST = 0x10fe00;
const LAST = 0x10feff;
/** The same in UTF-16: a high surrogate, and a low one from LOW on. */
const HIGH = 0xdbff;
const LOW = 0xde00;
const REPLACED = /[\u{10fe00}-\u{10feff}]/u;

/** The string to give to ONNX Runtime. */
export function stringOfBytes(bytes: Buffer): string {
  if (!isUtf8(bytes)) return replaceBytes(bytes);
  const text = bytes.toString();
  return text.includes('\0') || REPLACED.test(text) ? replaceBytes(bytes) : text;
}

/** The bytes behind a string that came from ONNX Runtime. */
export function bytesOfString(text: string): Buffer {
  return REPLACED.test(text) ? restoreBytes(text) : Buffer.from(text);
}

function restoreBytes(text: string): Buffer {
  // UTF-8 has at most three bytes for each code unit.
  const bytes = Buffer.alloc(3 * text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.codePointAt(at) as number;
    if (code >= FIRST && code <= LAST) bytes[length++] = code - FIRST;
    else if (code < 0x80) bytes[length++] = code;
    else length += bytes.write(String.fromCodePoint(code), length);
    if (code > 0xffff) at++;
  }
  return Buffer.from(bytes.subarray(0, length));
}

function replaceBytes(bytes: Buffer): string {
  // Two code units for each byte are enough: no UTF-8 sequence has more code units than bytes.
  const units = new Uint16Array(2 * bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; ) {
    const text = charAt(bytes, at);
    if (text === undefined) {
      units[length++] = HIGH;
      units[length++] = LOW + (bytes[at++] as number);
    } else {
      for (let unit = 0; unit < text.length; unit++) units[length++] = text.charCodeAt(unit);
      at += sequenceLength(bytes[at] as number);
    }
  }
  return Buffer.from(units.buffer, 0, 2 * length).toString('utf16le');
}

/** The character that begins here, or undefined if its first byte is to be replaced. */
function charAt(bytes: Buffer, at: number): string | undefined {
  const first = bytes[at] as number;
  if (first < 0x80) return first === 0 ? undefined : String.fromCharCode(first);
  const sequence = bytes.subarray(at, at + sequenceLength(first));
  if (sequence.length === 0 || !isUtf8(sequence)) return undefined;
  const text = sequence.toString();
  return REPLACED.test(text) ? undefined : text;
}

/** The length of the UTF-8 sequence that a byte begins (RFC 3629). 0 if it begins none. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}
