/** The log: one JSON object a line on stdout, each with its time, level and, inside a request, the request's id. */
import { type DestinationStream, type Logger, type LoggerOptions, pino, stdSerializers } from 'pino';

const MAX_TEXT_LENGTH = 2000;
const MAX_ENTRIES = 50;
const MAX_DEPTH = 5;

/**
 * What JSON leaves as it is and a terminal obeys or hides: the upper control characters, line and paragraph separators,
 * and the marks that turn the reading direction.
 */
const UNSEEN = /[\x7f-\x9f\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * Makes the logger, which writes each line to the destination as it comes. Whatever is logged, a line has no control
 * characters, and long texts and lists in it are cut; what a child is made with (a request's id, which the door bounds) is
 * not.
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
      // They stand inside strings only, where an escape is JSON for the same character.
      streamWrite: (line) => line.replace(UNSEEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
    },
  };
  return pino(options, destination);
}

/** Cuts long texts and lists, at every depth that a log needs. Errors stay whole: their serializer comes later. */
function cut(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return cutText(value);
  if (typeof value !== 'object' || value === null || value instanceof Error || isShort(value)) return value;
  if (depth === MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((entry) => cut(entry, depth + 1));
  const entries = Object.entries(value).slice(0, MAX_ENTRIES);
  return Object.fromEntries(entries.map(([name, entry]) => [cutText(name), cut(entry, depth + 1)]));
}

/** True for a flat object of few short texts and numbers, as the line of most requests is: it needs no copy. */
function isShort(fields: object): boolean {
  let count = 0;
  for (const [name, entry] of Object.entries(fields)) {
    count += 1;
    const isText = typeof entry === 'string';
    if (name.length > MAX_TEXT_LENGTH || (isText ? entry.length > MAX_TEXT_LENGTH : typeof entry === 'object'))
      return false;
  }
  return count <= MAX_ENTRIES;
}

function cutText(text: string): string {
  return text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH)}… (${text.length} characters)`;
}
