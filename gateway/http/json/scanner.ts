/** Counts the structure of JSON while it arrives, so that hostile JSON is refused before it is parsed. */
import { GatewayError } from '../../errors.ts';

export type JsonLimits = {
  /** Lists and objects inside of each other. */
  readonly maxDepth: number;
  /** Values in all lists and objects together: each bracket that opens, and each comma. */
  readonly maxValues: number;
  /** The setting that raises `maxValues`, for the error text. */
  readonly setting: string;
};

const QUOTE = 0x22;
const COMMA = 0x2c;
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
  readonly #limits: JsonLimits;
  #values = 1;
  #depth = 0;
  #isInString = false;
  /** The last byte was a backslash in a string. */
  #isEscaped = false;

  constructor(limits: JsonLimits) {
    this.#limits = limits;
  }

  get values(): number {
    return this.#values;
  }

  /** Throws `invalid_json` for JSON that is too deep and `body_too_large` for too many values. */
  feed(piece: Buffer): void {
    let at = this.#isInString ? this.#endOfString(piece, 0) : 0;
    while (at < piece.length) {
      const byte = piece[at];
      at += 1;
      if (byte === QUOTE) at = this.#endOfString(piece, at);
      else if (byte === COMMA) this.#addValue();
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) this.#enter();
      else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) this.#depth -= 1;
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
    if (this.#values <= maxValues) return;
    throw new GatewayError('body_too_large', `The body has more than ${maxValues} JSON values (${setting}).`);
  }

  /** The index after the quote that ends the string, or the length of the piece if it does not end there. */
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
