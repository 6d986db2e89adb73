/** The ids that a client gave the instances of a request. */
import { stringAt } from '../domain/strings.ts';
import type { StringTensor } from '../domain/tensor.ts';
import { JsonDecimal, parseExactJson } from '../tensor/exact-json.ts';

/** For each instance: the id as JSON text, or the members of its answer that are ids, as in RowNames. */
export type GivenIds = readonly (string | undefined)[] | StringTensor;

/** An id by which a label can name a prediction has at most so many characters. */
export const MAX_ID_LENGTH = 1000;
/** As JSON a character takes up to six, such as \u0000, and a record may have two ids with their names. */
const MAX_JSON_LENGTH = 16 * MAX_ID_LENGTH;

const utf8 = new TextDecoder();

/**
 * The id of an instance as well-formed text, without quotes. `field`: the name of the id in a record, before `id`. Undefined for
 * an id that is too long for a label.
 */
export function givenIdOf(ids: GivenIds | undefined, row: number, field = 'id'): string | undefined {
  if (ids === undefined) return undefined;
  if (!('offsets' in ids)) {
    const text = ids[row];
    return text === undefined || text.length > MAX_JSON_LENGTH ? undefined : plainText(parseExactJson(text));
  }
  const members = stringAt(ids, row);
  if (members.length === 0 || members.length > MAX_JSON_LENGTH) return undefined;
  const given = parseExactJson(`{${utf8.decode(members)}}`) as Readonly<Record<string, unknown>>;
  const id = Object.hasOwn(given, field) ? given[field] : given.id;
  return id === undefined ? undefined : plainText(id);
}

/** Half a surrogate pair is valid in JSON, but many readers refuse it. */
function plainText(value: unknown): string | undefined {
  const text = String(value instanceof JsonDecimal ? value.value : value).toWellFormed();
  return text.length > MAX_ID_LENGTH ? undefined : text;
}
