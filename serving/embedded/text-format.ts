/** Parses the part of protobuf's text format that configuration files use, and checks it against a schema. */

/** The type of a field: a scalar, a message, or an array with one type for a repeated field. */
type Single = 'string' | 'int' | 'bool' | Schema;
export type Schema = { readonly [field: string]: Single | readonly [Single] };

type Read<T> = T extends 'string' ? string : T extends 'int' ? number : T extends 'bool' ? boolean : Message<T>;
/** The parsed message. Absent fields are undefined; absent repeated fields are empty lists. */
export type Message<S> = {
  [K in keyof S]: S[K] extends readonly [infer T] ? Read<T>[] : Read<S[K]> | undefined;
};

type Token = { readonly text: string; readonly line: number };
type Cursor = { readonly tokens: readonly Token[]; at: number };
type Value = string | number | boolean | object;

const TOKEN = /\s+|#[^\n]*|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[-+\w.]+|[{}<>[\]:,;])|(.)/gs;
const ESCAPE = /\\(?:x([\da-fA-F]{1,2})|([0-7]{1,3})|u([\da-fA-F]{4})|(.))/g;
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b', f: '\f', v: '\v' };

/**
 * Parses a message.
 * @throws SyntaxError with the line number, if the text is invalid or does not match the schema
 */
export function parseTextFormat<const S extends Schema>(text: string, schema: S): Message<S> {
  const cursor: Cursor = { tokens: tokenize(text), at: 0 };
  return readMessage(cursor, schema, undefined) as Message<S>;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  for (const [all, token, wrong] of text.matchAll(TOKEN)) {
    if (wrong !== undefined) throw new SyntaxError(`line ${line}: unexpected ${JSON.stringify(wrong)}`);
    if (token !== undefined) tokens.push({ text: token, line });
    line += all.split('\n').length - 1;
  }
  tokens.push({ text: '', line });
  return tokens;
}

function readMessage(cursor: Cursor, schema: Schema, end: string | undefined): object {
  const message: Record<string, Value | Value[] | undefined> = {};
  for (const [name, type] of Object.entries(schema)) message[name] = Array.isArray(type) ? [] : undefined;
  while (peek(cursor) !== (end ?? '')) {
    const { text: name, line } = next(cursor);
    const type = Object.hasOwn(schema, name) ? schema[name] : undefined;
    if (type === undefined) throw new SyntaxError(`line ${line}: ${unknownField(name, schema)}`);
    const values = readField(cursor, name, type);
    if (Array.isArray(type)) (message[name] as Value[]).push(...values);
    else if (message[name] !== undefined) throw new SyntaxError(`line ${line}: ${name} is set twice`);
    else message[name] = values[0];
    if (peek(cursor) === ',' || peek(cursor) === ';') next(cursor);
  }
  next(cursor);
  return message;
}

function unknownField(name: string, schema: Schema): string {
  if (!/^\w+$/.test(name)) return `expected a field name, found ${name === '' ? 'the end' : name}`;
  return `unknown field ${name}; the fields are ${Object.keys(schema).join(', ')}`;
}

/** The values of `name: value`, `name { }` or, for repeated fields, `name: [value, value]`. */
function readField(cursor: Cursor, name: string, type: Single | readonly [Single]): Value[] {
  const single = (Array.isArray(type) ? type[0] : type) as Single;
  const colon = peek(cursor) === ':';
  if (colon) next(cursor);
  if (!colon && typeof single === 'string') throw unexpected(cursor, `: after ${name}`);
  if (!Array.isArray(type) || peek(cursor) !== '[') return [readValue(cursor, name, single)];
  next(cursor);
  const values: Value[] = [];
  while (peek(cursor) !== ']') {
    values.push(readValue(cursor, name, single));
    if (peek(cursor) === ',') next(cursor);
    else if (peek(cursor) !== ']') throw unexpected(cursor, ', or ]');
  }
  next(cursor);
  return values;
}

function readValue(cursor: Cursor, name: string, type: Single): Value {
  if (typeof type !== 'string') {
    const open = peek(cursor);
    if (open !== '{' && open !== '<') throw unexpected(cursor, `{ after ${name}`);
    next(cursor);
    return readMessage(cursor, type, open === '{' ? '}' : '>');
  }
  const value = READERS[type](cursor);
  if (value === undefined) throw unexpected(cursor, `${type} for ${name}`);
  return value;
}

const READERS: Readonly<Record<'string' | 'int' | 'bool', (cursor: Cursor) => Value | undefined>> = {
  string(cursor) {
    if (!/^["']/.test(peek(cursor))) return undefined;
    let value = '';
    while (/^["']/.test(peek(cursor))) value += unquote(next(cursor).text);
    return value;
  },
  int(cursor) {
    if (!/^-?(?:0[xX][\da-fA-F]+|0|[1-9]\d*)$/.test(peek(cursor))) return undefined;
    const value = Number(peek(cursor).replace('-', '')) * (peek(cursor).startsWith('-') ? -1 : 1);
    if (!Number.isSafeInteger(value)) return undefined;
    next(cursor);
    return value;
  },
  bool(cursor) {
    const value = { true: true, t: true, 1: true, false: false, f: false, 0: false }[peek(cursor)];
    if (value !== undefined) next(cursor);
    return value;
  },
};

function unquote(text: string): string {
  return text.slice(1, -1).replace(ESCAPE, (_, hex?: string, octal?: string, unicode?: string, char?: string) => {
    const digits = hex ?? unicode;
    if (digits !== undefined) return String.fromCharCode(Number.parseInt(digits, 16));
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    return ESCAPED[char as string] ?? (char as string);
  });
}

function peek({ tokens, at }: Cursor): string {
  return tokens[at]?.text ?? '';
}

function next(cursor: Cursor): Token {
  const token = cursor.tokens[cursor.at] as Token;
  if (cursor.at < cursor.tokens.length - 1) cursor.at++;
  return token;
}

function unexpected(cursor: Cursor, wanted: string): SyntaxError {
  const { text, line } = cursor.tokens[cursor.at] as Token;
  return new SyntaxError(`line ${line}: expected ${wanted}, found ${text === '' ? 'the end' : text}`);
}
