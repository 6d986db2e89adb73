/** The order of the pages, by kind: the lists of docs/README.md. */
import { targetOf } from './pages.ts';

export type Entry = { readonly title: string; readonly file: string };
export type Group = { readonly title: string; readonly entries: readonly Entry[] };

/** The page that lists all others. */
export const INDEX = 'docs/README.md';

const ENTRY = /^ *- \[([^\]]+)\]\(([^)]+)\)/gm;

/** Reads the groups: a heading of the second level, and the first link of each entry of its list. */
export function groupsIn(index: string): readonly Group[] {
  return index
    .split(/^## /m)
    .slice(1)
    .map((part) => ({ title: part.split('\n', 1)[0] ?? '', entries: [...part.matchAll(ENTRY)].map(entryOf) }))
    .filter(({ entries }) => entries.length > 0);
}

function entryOf([, title = '', link = '']: readonly string[]): Entry {
  return { title, file: targetOf(INDEX, link)?.file ?? link };
}
