/** Nested lists of JSON as a tensor. The type comes from the signature, the shape from the lists. */
import { ELEMENTS, isNumeric } from '../domain/elements.ts';
import { StringBuilder } from '../domain/strings.ts';
import type { Tensor, TensorInfo } from '../domain/tensor.ts';
import { decodeBase64 } from './base64.ts';
import { JsonDecimal } from './exact-json.ts';
import { JSON_ELEMENTS } from './json-elements.ts';
import { type PlaceOf, TensorMistake } from './mistake.ts';

/**
 * Makes a tensor of a JSON value: a scalar, or lists in lists, row-major. Values are those of exact-json.ts. Floats take
 * numbers, and NaN, Infinity and -Infinity as strings; they are rounded to the nearest. Integers and booleans are never
 * rounded or wrapped. Strings take text (UTF-8) and {"b64": …} (RFC 4648). Throws TensorMistake.
 */
export function tensorFromJson(value: unknown, { dtype }: Pick<TensorInfo, 'dtype'>, placeOf: PlaceOf): Tensor {
  const shape = shapeOf(value);
  const leaves = checkedLeaves(value, shape, placeOf);
  if (dtype === 'DT_STRING') {
    const strings = new StringBuilder(leaves.length);
    for (const [index, leaf] of leaves.entries()) {
      if (typeof leaf === 'string') strings.addText(leaf);
      else strings.add(bytesFromJson(leaf, () => placeOf(indexesOf(index, shape))));
    }
    return strings.tensor(shape);
  }
  if (!isNumeric(dtype)) throw new TensorMistake(placeOf([]), { kind: 'unserved', dtype });
  const element = JSON_ELEMENTS[dtype];
  const elements = new ELEMENTS[dtype](leaves.length);
  for (let index = 0; index < leaves.length; index += 1) {
    const value = element.fromJson(leaves[index]);
    if (value === undefined) {
      const expected = isNumber(leaves[index]) ? element.range : element.expected;
      const problem = { kind: 'type', value: leaves[index], expected } as const;
      throw new TensorMistake(placeOf(indexesOf(index, shape)), problem);
    }
    elements[index] = value;
  }
  return { dtype, shape, bytes: new Uint8Array(elements.buffer) };
}

/** The length of the first list of each level, as TF-Serving reads it. */
export function shapeOf(value: unknown): number[] {
  const shape: number[] = [];
  for (let first = value; Array.isArray(first); first = first[0]) shape.push(first.length);
  return shape;
}

/** All scalars in order. Throws TensorMistake where the lists are no rectangle of this shape. */
function checkedLeaves(value: unknown, shape: readonly number[], placeOf: PlaceOf): unknown[] {
  const leaves: unknown[] = [];
  const at: number[] = [];

  function walk(item: unknown, level: number): void {
    const size = shape[level];
    if (!Array.isArray(item)) {
      if (size !== undefined) throw new TensorMistake(placeOf(at), { kind: 'scalar', value: item, level, size });
      leaves.push(item);
      return;
    }
    if (size === undefined) throw new TensorMistake(placeOf(at), { kind: 'list', level });
    if (item.length !== size) {
      throw new TensorMistake(placeOf(at), { kind: 'size', size: item.length, expected: size, level });
    }
    for (let index = 0; index < size; index += 1) {
      at[level] = index;
      walk(item[index], level + 1);
    }
    at.length = level;
  }

  walk(value, 0);
  return leaves;
}

/** The indexes of an element by its position. */
function indexesOf(position: number, shape: readonly number[]): number[] {
  let rest = position;
  return shape
    .toReversed()
    .map((size) => {
      const index = rest % size;
      rest = (rest - index) / size;
      return index;
    })
    .toReversed();
}

function bytesFromJson(value: unknown, placeOf: () => string): Uint8Array {
  if (isBase64(value)) return value.b64 === '' ? new Uint8Array() : decodeBase64(value.b64, `${placeOf()}.b64`);
  throw new TensorMistake(placeOf(), { kind: 'type', value, expected: 'a string or {"b64": "…"}' });
}

/** Whether a value is a number as exact-json.ts reads it. */
function isNumber(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof JsonDecimal;
}

/** Whether a JSON value stands for bytes: an object with nothing but `b64`. */
export function isBase64(value: unknown): value is { readonly b64: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'b64' in value &&
    typeof value.b64 === 'string' &&
    Object.keys(value).length === 1
  );
}
