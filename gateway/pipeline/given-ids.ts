/** The ids that a client gave the instances of a request. */
import { stringAt } from '../domain/strings.ts';
import type { StringTensor } from '../domain/tensor.ts';
import { JsonDecimal, parseExactJson } from '../tensor/exact-json.ts';

/** For each instance: the id as JSON text, or the members of its answer that are ids, as in RowNames. */
export type GivenIds = readonly (string | undefined)[] | StringTensor;

const utf8 = new TextDecoder();

/** The id of an instance as text, without quotes. `field`: the name of the id in a record, before `id`. */
export function givenIdOf(ids: GivenIds | undefined, row: number, field = 'id'): string | undefined {
  if (ids === undefined) return undefined;
  if (!('offsets' in ids)) return ids[row] === undefined ? undefined : plainText(parseExactJson(ids[row]));
  const members = utf8.decode(stringAt(ids, row));
  if (members === '') return undefined;
  const given = parseExactJson(`{${members}}`) as Readonly<Record<string, unknown>>;
  const id = Object.hasOwn(given, field) ? given[field] : given.id;
  return id === undefined ? undefined : plainText(id);
}

function plainText(value: unknown): string {
  return String(value instanceof JsonDecimal ? value.value : value);
}
