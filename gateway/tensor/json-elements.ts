/** One element of a tensor as a JSON value, and back, for each type. */
import { bfloat16Bits, bfloat16Value, type NumericDType } from '../domain/elements.ts';
import { JsonDecimal } from './exact-json.ts';

type Element = number | bigint;

export type JsonElement = {
  /** For error texts: `an integer`, and for numbers that do not fit `an integer from 0 to 255`. */
  readonly expected: string;
  readonly range: string;
  /** The element of a JSON value (those of exact-json.ts), or undefined where the type does not hold it. */
  readonly fromJson: (value: unknown) => Element | undefined;
  /** The JSON text of an element. */
  readonly toJson: (element: Element) => string;
  /** Whether JSON.stringify writes the element so too: lists in a third of the time. Unset: it does not know the type. */
  readonly isPlain?: (element: Element) => boolean;
};

/** Numbers that JSON has no literal for, as proto3's JSON mapping writes them. */
const NOT_FINITE: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/** `round`: the nearest number of the type. A finite number that becomes infinite is out of range. */
function float(name: string, round: (value: number) => number): JsonElement {
  return {
    expected: 'a number',
    range: `a number in the range of ${name}`,
    fromJson(value) {
      if (typeof value === 'string') return Object.hasOwn(NOT_FINITE, value) ? NOT_FINITE[value] : undefined;
      const number = value instanceof JsonDecimal ? value.value : typeof value === 'bigint' ? Number(value) : value;
      return typeof number === 'number' && Number.isFinite(round(number)) ? number : undefined;
    },
    toJson(element) {
      if (!Number.isFinite(element)) return `"${element}"`;
      return Object.is(element, -0) ? '-0' : String(element);
    },
    isPlain: (element) => Number.isFinite(element) && !Object.is(element, -0),
  };
}

/** Integers are never rounded and never wrap around. */
function integer(min: bigint, max: bigint): JsonElement {
  const isLong = max > Number.MAX_SAFE_INTEGER;
  return {
    expected: 'an integer',
    range: `an integer from ${min} to ${max}`,
    fromJson(value) {
      const isInteger = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
      if (!isInteger || value < min || value > max) return undefined;
      return isLong ? BigInt(value) : Number(value);
    },
    toJson: String,
  };
}

const signed = (bits: bigint) => integer(-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n);
const unsigned = (bits: bigint) => integer(0n, 2n ** bits - 1n);
const bfloat16 = float('bfloat16', (value) => bfloat16Value(bfloat16Bits(value)));

export const JSON_ELEMENTS: Readonly<Record<NumericDType, JsonElement>> = {
  DT_FLOAT: float('float32', Math.fround),
  DT_DOUBLE: float('float64', Number),
  DT_HALF: float('float16', Math.f16round),
  DT_BFLOAT16: {
    expected: bfloat16.expected,
    range: bfloat16.range,
    fromJson(value) {
      const number = bfloat16.fromJson(value);
      return number === undefined ? undefined : bfloat16Bits(Number(number));
    },
    toJson: (bits) => bfloat16.toJson(bfloat16Value(Number(bits))),
  },
  DT_INT8: signed(8n),
  DT_INT16: signed(16n),
  DT_INT32: signed(32n),
  DT_INT64: signed(64n),
  DT_UINT8: unsigned(8n),
  DT_UINT16: unsigned(16n),
  DT_UINT32: unsigned(32n),
  DT_UINT64: unsigned(64n),
  DT_BOOL: {
    expected: 'true or false',
    range: 'true or false',
    fromJson: (value) => (typeof value === 'boolean' ? Number(value) : undefined),
    toJson: (element) => String(element !== 0),
  },
};
