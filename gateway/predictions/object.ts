/** JSON objects whose members keep their order. */
import type { Member } from '../tensor/record-id.ts';

/**
 * Renders the members in their order. An object of JavaScript would not: it moves integer keys, such as the class 7, to the
 * front, here and in clients that read the map. They need a list.
 */
export function renderObject(members: readonly Member[]): string {
  return renderMembers('', members);
}

/** Renders an object whose first members are JSON text already, `"id":7`, or empty. */
export function renderMembers(first: string, members: readonly Member[]): string {
  const others = members.map(([name, text]) => `${JSON.stringify(name)}:${text}`);
  return `{${[...(first === '' ? [] : [first]), ...others].join(',')}}`;
}
