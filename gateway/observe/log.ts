/** The log: one JSON object per line, with time, level and, within a request, the request's id. */
import { type DestinationStream, type Logger, type LoggerOptions, pino, stdSerializers } from 'pino';

const MAX_TEXT_LENGTH = 2000;
const MAX_ENTRIES = 50;
const MAX_DEPTH = 5;

/**
 * Characters that JSON does not escape and a terminal interprets or hides: the upper control characters, line and
 * paragraph separators, and the marks that change the text direction.
 */
const INVISIBLE = /[\x7f-\x9f\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * Creates the logger. It writes each line at once. A line has no control characters, and long texts and lists are cut.
 * The fields of a child logger are not cut: a request's id, whose length is limited before.
 */
export function createLog(level: string, destination: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { cause: (cause: unknown) => cut(cause instanceof Error ? stdSerializers.err(cause) : cause) },
    hooks: {
      logMethod(given, method) {
        method.apply(this, given.map((value) => cut(value)) as typeof given);
      },
      streamWrite: escapeInvisible,
    },
  };
  return pino(options, destination);
}

/** Escapes invisible characters as JSON does. They occur in strings only, where an escape means the same character. */
export function escapeInvisible(line: string): string {
  return line.replace(INVISIBLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Cuts long texts and lists, and levels deeper than `MAX_DEPTH`. Leaves errors to their serializer. */
function cut(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return cutText(value);
  if (typeof value !== 'object' || value === null || value instanceof Error || isShort(value)) return value;
  if (depth === MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((entry) => cut(entry, depth + 1));
  const entries = Object.entries(value).slice(0, MAX_ENTRIES);
  return Object.fromEntries(entries.map(([name, entry]) => [cutText(name), cut(entry, depth + 1)]));
}

/** True for a flat object of few short values, as most requests log: it needs no copy. */
function isShort(fields: object): boolean {
  const names = Object.keys(fields);
  for (const name of names) {
    const entry: unknown = fields[name as keyof typeof fields];
    const isText = typeof entry === 'string';
    if (name.length > MAX_TEXT_LENGTH || (isText ? entry.length > MAX_TEXT_LENGTH : typeof entry === 'object'))
      return false;
  }
  return names.length <= MAX_ENTRIES;
}

function cutText(text: string): string {
  return text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH)}… (${text.length} characters)`;
}
