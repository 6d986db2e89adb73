/** Words the mistakes in a model.yaml: the field, what it takes, the nearest right word and an example. */
import { closestMatch } from 'leven';
import type { z } from 'zod';
import type { CardDocument, Mistake, Path } from './card-document.ts';
import { FIELDS } from './card-fields.ts';

/** A word with more wrong letters is no slip of the pen. */
const MAX_DISTANCE = 2;
const MAX_SHOWN = 60;

/**
 * All mistakes of a document, in the order of its lines. A mistake inside of a wrong value is not repeated. `issues`: what
 * the schema found; ignored when the text is not YAML.
 */
export function mistakesIn(document: CardDocument, issues: readonly z.core.$ZodIssue[]): readonly Mistake[] {
  const found = document.value === undefined ? [] : issues.flatMap((issue) => mistakesOf(document, issue));
  const outer = found.filter(({ path }) => !found.some((other) => isInside(path, other.path)));
  return [...document.mistakes, ...outer].sort((one, other) => one.line - other.line);
}

function isInside(path: Path, other: Path): boolean {
  return other.length > 0 && other.length < path.length && other.every((step, index) => step === path[index]);
}

/** An issue with several unknown fields is one mistake for each. */
function mistakesOf(document: CardDocument, issue: z.core.$ZodIssue): Mistake[] {
  const at = (path: Path, text: string): Mistake => ({ path, line: document.lineOf(path), text });
  const { path } = issue;
  if (issue.code === 'custom') return [at(path, issue.message)];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => at([...path, key], unknownField(key, nameInTable(path))));
  }
  return [at(path, wrongValue(fieldOf(path), valueAt(document.value, path)))];
}

/** The path of the field of the table that a path is in: `image.size` for its second number. Empty for the file. */
function fieldOf(path: Path): string {
  const field = nameInTable(path);
  return path.length === 0 || Object.hasOwn(FIELDS, field) ? field : fieldOf(path.slice(0, -1));
}

/** A path as the table has it: names of inputs are the operator's. */
function nameInTable(path: Path): string {
  return path.map((step, index) => (index === 1 && path[0] === 'inputs' ? 'NAME' : step)).join('.');
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, step) => (inner as Record<PropertyKey, unknown> | undefined)?.[step], value);
}

/** `parent`: where it was found, empty for the top. */
function unknownField(key: string, parent: string): string {
  const paths = Object.keys(FIELDS);
  const elsewhere = paths.find((path) => nameOf(path) === key);
  if (elsewhere !== undefined) {
    const place = parentOf(elsewhere) === '' ? 'at the top' : `under ${parentOf(elsewhere)}`;
    return `belongs ${place}. ${exampleOf(elsewhere)}`;
  }
  const siblings = paths.filter((path) => parentOf(path) === parent).map(nameOf);
  const nearest = nearestTo(key, siblings);
  if (nearest === undefined) return `no such field; there are ${siblings.join(', ')}`;
  return `no such field; did you mean ${nearest}? ${exampleOf(parent === '' ? nearest : `${parent}.${nearest}`)}`;
}

function wrongValue(path: string, value: unknown): string {
  const field = FIELDS[path];
  if (!field) return 'needs fields such as name; tensorgate models new NAME writes an example';
  const { takes, words = [], synonyms = {} } = field;
  if (value === undefined) return `is missing; takes ${takes}. ${exampleOf(path)}`;
  const nearest = typeof value === 'string' ? (synonyms[value.toLowerCase()] ?? nearestTo(value, words)) : undefined;
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  const shown = JSON.stringify(value).slice(0, MAX_SHOWN);
  return `takes ${takes}, not ${shown}${hint || '.'} ${exampleOf(path)}`;
}

/** The word that differs in a few letters, ignoring case. */
function nearestTo(given: string, words: readonly string[]): string | undefined {
  const lower = words.map((word) => word.toLowerCase());
  const nearest = closestMatch(given.toLowerCase(), lower, { maxDistance: MAX_DISTANCE });
  return nearest === undefined ? undefined : words[lower.indexOf(nearest)];
}

function exampleOf(path: string): string {
  return `Example: ${nameOf(path)}: ${FIELDS[path]?.example}`;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')));
}
