/** Parses protobuf's text format and keeps the position of each field, to edit one field and leave the rest. */

export type Field = {
  readonly name: string;
  /** The offset of the name's first character. */
  readonly start: number;
  /** The offset after the value's last character. */
  readonly end: number;
  /** A scalar's text; a string without quotes; a list joined by spaces; empty for a message. */
  readonly value: string;
  readonly children: readonly Field[];
};

type Token = { readonly text: string; readonly start: number; readonly end: number; readonly line: number };
type Cursor = { readonly tokens: readonly Token[]; at: number };

const TOKEN = /\s+|#[^\n]*|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[-+\w.]+|[{}<>[\]:,;])|(.)/gs;
const SCALAR = /^[-+\w."']/;
const STRING = /^["']/;
const CLOSING: Readonly<Record<string, string>> = { '{': '}', '<': '>' };

/** Parses the fields of a message. Throws SyntaxError with the line. */
export function parseFields(text: string): Field[] {
  return readFields({ tokens: tokenize(text), at: 0 }, '');
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  for (const match of text.matchAll(TOKEN)) {
    const [all, token, wrong] = match;
    if (wrong !== undefined) throw new SyntaxError(`line ${line}: unexpected ${JSON.stringify(wrong)}`);
    if (token !== undefined) tokens.push({ text: token, start: match.index, end: match.index + token.length, line });
    line += all.split('\n').length - 1;
  }
  return [...tokens, { text: '', start: text.length, end: text.length, line }];
}

/** Reads fields up to and including the closing brace, or up to the end of the text if `closing` is ''. */
function readFields(cursor: Cursor, closing: string): Field[] {
  const fields: Field[] = [];
  while (peek(cursor).text !== closing) {
    fields.push(readField(cursor));
    if (/^[,;]$/.test(peek(cursor).text)) next(cursor);
  }
  next(cursor);
  return fields;
}

function readField(cursor: Cursor): Field {
  const name = next(cursor);
  if (!/^\w+$/.test(name.text)) throw unexpected(name, 'the name of a field');
  const colon = peek(cursor).text === ':';
  if (colon) next(cursor);
  const closing = CLOSING[peek(cursor).text];
  if (closing === undefined && !colon) throw unexpected(peek(cursor), ': or {');
  if (closing !== undefined) next(cursor);
  const children = closing === undefined ? [] : readFields(cursor, closing);
  const value = closing === undefined ? readScalar(cursor) : '';
  return { name: name.text, start: name.start, end: last(cursor).end, value, children };
}

/** Reads a scalar or a list. Adjacent strings are one value. A list's scalars are joined by spaces. */
function readScalar(cursor: Cursor): string {
  if (peek(cursor).text === '[') return readList(cursor);
  const first = next(cursor);
  if (!SCALAR.test(first.text)) throw unexpected(first, 'a value');
  let value = unquoted(first.text);
  while (STRING.test(first.text) && STRING.test(peek(cursor).text)) value += unquoted(next(cursor).text);
  return value;
}

function readList(cursor: Cursor): string {
  const words: string[] = [];
  next(cursor);
  for (let token = next(cursor); token.text !== ']'; token = next(cursor)) {
    if (token.text === ',') continue;
    if (!SCALAR.test(token.text))
      throw unexpected(token, 'scalars up to ]; write a list of messages as repeated fields');
    words.push(unquoted(token.text));
  }
  return words.join(' ');
}

/** Removes the quotes. Escapes are kept: names, labels and numbers need none. */
function unquoted(text: string): string {
  return STRING.test(text) ? text.slice(1, -1) : text;
}

function peek({ tokens, at }: Cursor): Token {
  return tokens[at] as Token;
}

function next(cursor: Cursor): Token {
  const token = peek(cursor);
  if (cursor.at < cursor.tokens.length - 1) cursor.at += 1;
  return token;
}

/** The token that was read last. */
function last({ tokens, at }: Cursor): Token {
  return tokens[at - 1] as Token;
}

function unexpected({ text, line }: Token, wanted: string): SyntaxError {
  return new SyntaxError(`line ${line}: expected ${wanted}, found ${text === '' ? 'the end' : text}`);
}
