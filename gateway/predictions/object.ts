/** JSON objects whose members keep their order. */
import type { Member } from '../tensor/record-id.ts';

/**
 * Renders the members in their order. An object of JavaScript would not: it moves integer keys, such as the class 7, to the
 * front, here and in clients that read the map. They need a list.
 */
export function renderObject(members: readonly Member[]): string {
  return `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}
