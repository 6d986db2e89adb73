/** Where the fields of a text in protobuf's text format stand, so that one can be changed and the rest left as it is. */

export type Field = {
  readonly name: string;
  /** From the first letter of the name to behind the last of the value. */
  readonly start: number;
  readonly end: number;
  /** A scalar's text, strings without their quotes, lists with spaces; empty for a message. */
  readonly value: string;
  readonly children: readonly Field[];
};

type Token = { readonly text: string; readonly start: number; readonly end: number; readonly line: number };
type Cursor = { readonly tokens: readonly Token[]; at: number };

const TOKEN = /\s+|#[^\n]*|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[-+\w.]+|[{}<>[\]:,;])|(.)/gs;
const SCALAR = /^[-+\w."']/;
const STRING = /^["']/;
const CLOSING: Readonly<Record<string, string>> = { '{': '}', '<': '>' };

/** Reads the fields of a message. Throws a SyntaxError that names the line. */
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

/** The fields up to the closing brace, which is read too; up to the end of the text for ''. */
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

/** A scalar, strings that follow each other as one; of a list in brackets its scalars with spaces between. */
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
    if (!SCALAR.test(token.text)) throw unexpected(token, 'scalars up to ]; messages are to be listed one by one');
    words.push(unquoted(token.text));
  }
  return words.join(' ');
}

/** Names, labels and numbers need no escapes; a string that has some stays as it is written. */
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
