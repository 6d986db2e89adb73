/** Parses JSON without losing what a number is: an integer of any length, or a number with a fraction or an exponent. */

import { ExactReader, Unusual } from './exact-reader.ts';

/**
 * A number that is no integer of any type: written with a fraction or an exponent although its value is whole (1.0), or
 * with more digits than types have.
 */
export class JsonDecimal {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

type WithSource = (
  text: string,
  reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown;

/** TypeScript's types lack the third argument: the text of a number (JSON.parse source text access, ES2025). */
const parseWithSource = JSON.parse as WithSource;

/** Those of 64 bits have at most 20. Reading a million takes V8 half a second. */
const MAX_INTEGER_CHARACTERS = 64;

/** Text that JSON.parse may read as another number: many digits, or a fraction or an exponent. */
const MAY_CHANGE = /\d{16}|\d[.eE]/;

/**
 * Parses JSON. Integers above 2^53 become bigints, and those of hundreds of digits and whole numbers with a fraction or an exponent
 * become JsonDecimals. Up to five times slower than JSON.parse, where the text has such numbers. Throws SyntaxError.
 */
export function parseExactJson(text: string): unknown {
  if (!MAY_CHANGE.test(text)) return JSON.parse(text);
  try {
    return new ExactReader(text, (source) => exact(Number(source), source)).read();
  } catch (thrown) {
    if (!(thrown instanceof Unusual)) throw thrown;
  }
  return parseWithSource(text, (_key, value, { source = '' }) =>
    typeof value === 'number' ? exact(value, source) : value,
  );
}

function exact(value: number, source: string): number | bigint | JsonDecimal {
  if (/[.eE]/.test(source)) return Number.isInteger(value) ? new JsonDecimal(value) : value;
  if (Number.isSafeInteger(value)) return value;
  return source.length > MAX_INTEGER_CHARACTERS ? new JsonDecimal(value) : BigInt(source);
}

/** A number of either kind as a JavaScript number, as JSON.parse reads it. Other values as they are. */
export function plainNumber(value: unknown): unknown {
  if (value instanceof JsonDecimal) return value.value;
  return typeof value === 'bigint' ? Number(value) : value;
}
