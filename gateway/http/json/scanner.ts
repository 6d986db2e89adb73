/** Counts the structure of JSON while it arrives, so that hostile JSON is refused before it is parsed. */
import { isAscii } from 'node:buffer';
import { GatewayError } from '../../errors.ts';
import { BASE_BYTES, MEMBER_BYTES, OBJECT_BYTES, VALUE_BYTES } from './heap.ts';

export type JsonLimits = {
  /** Lists and objects inside of each other. */
  readonly maxDepth: number;
  /** Values in all lists and objects together: each bracket that opens, and each comma. */
  readonly maxValues?: number;
  /** The setting that raises `maxValues`, for the error text. */
  readonly setting?: string;
};

export type ScannerLimits = JsonLimits & {
  /** The heap of the thread that parses large JSON. */
  readonly maxHeapBytes: number;
};

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Takes the bytes in any pieces. It does not check the grammar (RFC 8259): JSON.parse does. Bytes that are not JSON have no
 * more values than are counted here. Quotes, brackets and commas are never part of another character in UTF-8.
 */
export class JsonScanner {
  readonly #limits: ScannerLimits;
  #values = 1;
  #objects = 0;
  #members = 0;
  #bytes = 0;
  #stringBytes = 0;
  /** V8 keeps a text with one other character as two bytes for each character. */
  #isAscii = true;
  #depth = 0;
  #isInString = false;
  /** The last byte was a backslash in a string. */
  #isEscaped = false;

  constructor(limits: ScannerLimits) {
    this.#limits = limits;
  }

  get values(): number {
    return this.#values;
  }

  /** The most heap that parsing it takes: its text, its values, and its strings once more. */
  get heapBytes(): number {
    const characters = (this.#bytes + this.#stringBytes) * (this.#isAscii ? 1 : 2);
    const structure = this.#values * VALUE_BYTES + this.#objects * OBJECT_BYTES + this.#members * MEMBER_BYTES;
    return BASE_BYTES + characters + structure;
  }

  /** Throws `invalid_json` for JSON that is too deep and `body_too_large` for JSON that takes too much. */
  feed(piece: Buffer): void {
    // V8 reads resizable memory ten times slower, and all other memory too in code that has met both.
    this.#count((piece.buffer as ArrayBuffer).resizable ? Buffer.from(piece) : piece);
    this.#bytes += piece.length;
    this.#isAscii &&= isAscii(piece);
    if (this.heapBytes <= this.#limits.maxHeapBytes) return;
    const detail = 'The JSON takes more memory than there is for it; send less at once (MAX_BODY_BYTES).';
    throw new GatewayError('body_too_large', detail);
  }

  #count(piece: Buffer): void {
    let at = this.#isInString ? this.#skipString(piece, 0) : 0;
    while (at < piece.length) {
      const byte = piece[at] as number;
      at += 1;
      // Nearly all bytes outside of strings are those of numbers.
      if (byte > COMMA && byte < COLON) continue;
      if (byte === QUOTE) at = this.#skipString(piece, at);
      else if (byte === COMMA) this.#addValue();
      else if (byte === COLON) this.#members += 1;
      else if (byte === OPEN_LIST) this.#enter();
      else if (byte === OPEN_OBJECT) {
        this.#objects += 1;
        this.#enter();
      } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) this.#depth -= 1;
    }
  }

  #enter(): void {
    const { maxDepth } = this.#limits;
    this.#depth += 1;
    if (this.#depth > maxDepth) {
      throw new GatewayError('invalid_json', `The JSON is nested more than ${maxDepth} levels deep.`);
    }
    this.#addValue();
  }

  #addValue(): void {
    const { maxValues, setting } = this.#limits;
    this.#values += 1;
    if (maxValues === undefined || this.#values <= maxValues) return;
    throw new GatewayError('body_too_large', `The body has more than ${maxValues} JSON values (${setting}).`);
  }

  /** The index after the quote that ends the string, or the length of the piece if it does not end there. */
  #skipString(piece: Buffer, from: number): number {
    const end = this.#endOfString(piece, from);
    this.#stringBytes += end - from;
    return end;
  }

  #endOfString(piece: Buffer, from: number): number {
    this.#isInString = true;
    if (from === piece.length) return from;
    let at = this.#isEscaped ? from + 1 : from;
    this.#isEscaped = false;
    for (;;) {
      const quote = piece.indexOf(QUOTE, at);
      const end = quote < 0 ? piece.length : quote;
      const isEscaped = countBackslashes(piece, at, end) % 2 === 1;
      if (quote < 0) {
        this.#isEscaped = isEscaped;
        return end;
      }
      at = quote + 1;
      if (!isEscaped) {
        this.#isInString = false;
        return at;
      }
    }
  }
}

/** Backslashes directly before `end`, back to `from` at most. */
function countBackslashes(piece: Buffer, from: number, end: number): number {
  let at = end;
  while (at > from && piece[at - 1] === BACKSLASH) at -= 1;
  return end - at;
}
