/** The id of an instance: a field that comes back with its prediction. */
import type { Table } from '../domain/table.ts';
import { GatewayError } from '../errors.ts';
import { JsonDecimal } from './exact-json.ts';
import { shown } from './mistake.ts';

/** A member of a JSON object: its name, and its value as JSON text. */
export type Member = readonly [name: string, text: string];

export type JsonRecord = Readonly<Record<string, unknown>>;

/** Whether a JSON value is an object. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field of a record. What every object inherits, such as `constructor`, is none. */
export function memberOf(item: JsonRecord, name: string): unknown {
  return Object.hasOwn(item, name) ? item[name] : undefined;
}

/** The place of a field; `place` is empty for the body itself. */
export function fieldOf(place: string, name = ''): string {
  return place === '' ? name : `${place}.${name}`;
}

/** Ids are copied between threads and kept until the answer. */
const MAX_LENGTH = 1000;

/**
 * The ids of a record: `id`, and the field that model.yaml names. `id` is no id where an input
 * has this name. Throws `invalid_request` for a value that is no string, number or boolean, and where an output has the name.
 */
export function readIds(
  item: JsonRecord,
  table: Pick<Table, 'inputs' | 'outputs'> & Partial<Pick<Table, 'record'>>,
  place: string,
): readonly Member[] {
  const own = table.record?.id;
  const isInput = table.inputs.some(({ name }) => name === 'id');
  const names = new Set([...(isInput ? [] : ['id']), ...(own === undefined ? [] : [own])]);
  return [...names].flatMap((name): readonly Member[] => {
    const text = idText(memberOf(item, name), fieldOf(place, name));
    if (text === undefined) return [];
    if (!table.outputs.some((output) => output.name === name)) return [[name, text]];
    const detail = `${fieldOf(place, name)}: the model has an output of this name; leave it out`;
    throw new GatewayError('invalid_request', detail);
  });
}

/**
 * Takes the `id` out of each instance. `ids`: those of each one; undefined where none has the field. Throws as readIds.
 */
export function takeIds(
  rows: readonly unknown[],
  signature: Pick<Table, 'inputs' | 'outputs'>,
  place: string,
): { readonly rows: readonly unknown[]; readonly ids?: readonly (readonly Member[])[] } {
  if (!haveIds(rows, signature)) return { rows };
  const ids = rows.map((row, index) => (hasId(row) ? readIds(row, signature, `${place}[${index}]`) : []));
  return { rows: rows.map((row) => (hasId(row) ? withoutId(row) : row)), ids };
}

/** Whether one of the instances has an `id` that is none of the inputs. */
export function haveIds(rows: readonly unknown[], { inputs }: Pick<Table, 'inputs'>): boolean {
  return !inputs.some(({ name }) => name === 'id') && rows.some(hasId);
}

function hasId(row: unknown): row is JsonRecord {
  return isRecord(row) && Object.hasOwn(row, 'id');
}

function withoutId({ id: _, ...others }: JsonRecord): JsonRecord {
  return others;
}

/** An id as JSON text. Undefined where there is none: null is what clients with classes send. */
export function idText(value: unknown, place: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'bigint') return limited(String(value), place);
  if (value instanceof JsonDecimal) return limited(String(value.value), place);
  if (typeof value === 'object') {
    throw new GatewayError('invalid_request', `${place}: expected a string or a number, got ${shown(value)}`);
  }
  const isRounded = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  if (isRounded) throw new GatewayError('invalid_request', `${place}: is too large for a number; send it as a string`);
  return limited(JSON.stringify(value), place);
}

function limited(text: string, place: string): string {
  if (text.length <= MAX_LENGTH) return text;
  throw new GatewayError('invalid_request', `${place}: an id has at most ${MAX_LENGTH} characters`);
}
