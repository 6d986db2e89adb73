/**
 * The first mistake of a request in the order and words of TF-Serving (json_tensor.cc). Only for requests that tensor/rows.ts
 * has refused, so it may be slow.
 */
import { isNumeric } from '../../domain/elements.ts';
import type { TensorInfo } from '../../domain/tensor.ts';
import { isBase64 } from '../../tensor/from-json.ts';
import { JSON_ELEMENTS } from '../../tensor/json-elements.ts';
import { jsonType, shownJson } from './json-words.ts';

export type Mistake = { readonly status: number; readonly text: string };

/** Thrown inside this file: the code and the text of a mistake. */
class Found extends Error {
  readonly code: 'INVALID_ARGUMENT' | 'UNIMPLEMENTED';

  constructor(text: string, code: Found['code'] = 'INVALID_ARGUMENT') {
    super(text);
    this.code = code;
  }
}

type Inputs = readonly TensorInfo[];

/** The mistake of a row-form request. Undefined: TF-Serving has no objection, the gateway has. */
export function mistakeInRows(rows: readonly unknown[], inputs: Inputs): Mistake | undefined {
  return mistakeFoundBy(() => checkRows(rows, inputs));
}

/** The mistake of a column-form request. */
export function mistakeInColumns(columns: unknown, inputs: Inputs): Mistake | undefined {
  return mistakeFoundBy(() => checkColumns(columns, inputs));
}

function mistakeFoundBy(check: () => void): Mistake | undefined {
  try {
    check();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Found) return { status: thrown.code === 'UNIMPLEMENTED' ? 501 : 400, text: thrown.message };
    throw thrown;
  }
}

const PLAIN = 'required as per tensorinfo_map';

function checkRows(rows: readonly unknown[], inputs: Inputs): void {
  const names = inputs.map(({ name }) => name).sort();
  const isNamed = isRecord(rows[0]);
  if (typeof rows[0] !== 'object' || Array.isArray(rows[0]) || rows[0] === null) {
    if (inputs.length > 1)
      throw new Found(`instances is a plain list, but expecting list of objects as multiple input tensors ${PLAIN}`);
  }
  const seen = new Map<string, { readonly count: number; readonly shape: readonly number[] }>();
  for (const [index, row] of rows.entries()) {
    if (isNamed && !isRecord(row)) throw new Found(`Expecting object but got list at item ${index} of input list`);
    if (!isNamed && isRecord(row))
      throw new Found(`Expecting value/list but got object at item ${index} of input list`);
    const values = isNamed ? Object.entries(row as object) : [[names[0] ?? '', row] as const];
    for (const [name, value] of values) {
      const key = isNamed ? ` key: ${name}` : '';
      inElement(`${index}${key}`, () => checkCell(name, value, inputs, seen));
    }
    if (isNamed && (values.length !== names.length || !values.every(([name]) => names.includes(name)))) {
      const text = `JSON object: ${shownJson(row)} keys must be equal to: ${names.join(',')}`;
      throw new Found(`Failed to process element: ${index} of 'instances' list. ${text}`);
    }
  }
}

/** Adds the place to a mistake in one element. */
function inElement(place: string, check: () => void): void {
  try {
    check();
  } catch (thrown) {
    if (!(thrown instanceof Found)) throw thrown;
    throw new Found(
      `Failed to process element: ${place} of 'instances' list. Error: ${thrown.code}: ${thrown.message}`,
    );
  }
}

/** One input's value in one row: it has as many elements, and the shape, of the first row's. */
function checkCell(
  name: string,
  value: unknown,
  inputs: Inputs,
  seen: Map<string, { readonly count: number; readonly shape: readonly number[] }>,
): void {
  const info = inputs.find((input) => input.name === name);
  if (!info) throw new Found(`JSON object: does not have named input: ${name}`);
  const cell = checkTensor(value, info.dtype);
  const first = seen.get(name) ?? cell;
  seen.set(name, first);
  if (first.count !== cell.count) throw new Found(`Expecting tensor size: ${first.count} but got: ${cell.count}`);
  if (String(first.shape) !== String(cell.shape)) {
    throw new Found(`Expecting shape [${first.shape}] but got: [${cell.shape}]`);
  }
}

function checkColumns(columns: unknown, inputs: Inputs): void {
  const isNamed = isRecord(columns);
  if (!isNamed && inputs.length > 1) {
    throw new Found(`inputs is a plain value/list, but expecting an object as multiple input tensors ${PLAIN}`);
  }
  for (const { name, dtype } of inputs.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
    if (isNamed && !Object.hasOwn(columns, name)) throw new Found(`Missing named input: ${name} in 'inputs' object.`);
    checkTensor(isNamed ? columns[name] : columns, dtype);
  }
}

/** Lists in lists as a tensor; the shape is that of the first element at each level. */
function checkTensor(value: unknown, dtype: string): { readonly count: number; readonly shape: readonly number[] } {
  const shape: number[] = [];
  for (let first = value; Array.isArray(first); first = first[0]) shape.push(first.length);
  let count = 0;

  function check(item: unknown, level: number): void {
    if (!Array.isArray(item)) {
      if (level !== shape.length) {
        const place = `found at incorrect level: ${level + 1} in the JSON DOM. Expected at level: ${shape.length}`;
        throw new Found(`JSON Value: ${shownJson(item)} ${place}`);
      }
      checkElement(item, dtype);
      count += 1;
      return;
    }
    const size = shape[level];
    if (size === undefined) {
      throw new Found(`Encountered list at unexpected level: ${level} expected < ${shape.length}`);
    }
    if (item.length !== size) {
      throw new Found(`Encountered list at unexpected size: ${item.length} at level: ${level} expected size: ${size}`);
    }
    for (const child of item) check(child, level + 1);
  }

  check(value, 0);
  return { count, shape };
}

/** Types whose values TF-Serving reads from JSON. Small integers may have any value of 32 bits there. */
const INTEGER_LIMITS: Readonly<Record<string, readonly [low: bigint, high: bigint]>> = {
  DT_INT8: [-(2n ** 31n), 2n ** 31n],
  DT_INT16: [-(2n ** 31n), 2n ** 31n],
  DT_INT32: [-(2n ** 31n), 2n ** 31n],
  DT_UINT8: [-(2n ** 31n), 2n ** 31n],
  DT_INT64: [-(2n ** 63n), 2n ** 63n],
  DT_UINT32: [0n, 2n ** 32n],
  DT_UINT64: [0n, 2n ** 64n],
};
const READ = ['DT_FLOAT', 'DT_DOUBLE', 'DT_BOOL', 'DT_STRING', ...Object.keys(INTEGER_LIMITS)];

function checkElement(value: unknown, dtype: string): void {
  if (isNumeric(dtype) && JSON_ELEMENTS[dtype].fromJson(value) !== undefined) return;
  const isObject = jsonType(value) === 'Object';
  if (dtype === 'DT_STRING' && typeof value === 'string') return;
  if (dtype === 'DT_STRING' && isObject) {
    checkBase64(value);
    return;
  }
  const shown = dtype.slice('DT_'.length).toLowerCase();
  if (!isObject && isTaken(value, dtype)) return;
  if (!isObject && !READ.includes(dtype)) {
    throw new Found(`Conversion of JSON Value: ${shownJson(value)} to type: ${shown}`, 'UNIMPLEMENTED');
  }
  const text = `JSON Value: ${shownJson(value)} Type: ${jsonType(value)} is not of expected type: ${shown}`;
  throw new Found(text);
}

/** Whether TF-Serving takes a number that the gateway refuses, because it wraps around or becomes infinite. */
function isTaken(value: unknown, dtype: string): boolean {
  if (jsonType(value) !== 'Number') return false;
  if (dtype === 'DT_FLOAT' || dtype === 'DT_DOUBLE') return true;
  const limits = INTEGER_LIMITS[dtype];
  const isInteger = typeof value === 'bigint' || Number.isSafeInteger(value);
  return limits !== undefined && isInteger && (value as number) >= limits[0] && (value as number) < limits[1];
}

const BASE64 = /^[A-Za-z\d+/]*={0,2}$/;

function checkBase64(value: unknown): void {
  if (!isBase64(value)) throw new Found(`JSON Value: ${shownJson(value)} not formatted correctly for base64 data`);
  if (!BASE64.test(value.b64) || value.b64.replace(/=+$/, '').length % 4 === 1) {
    throw new Found('Unable to base64 decode');
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return jsonType(value) === 'Object' && !isBase64(value);
}
