import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTextFormat } from './text-format.ts';

const SCHEMA = {
  name: 'string',
  count: 'int',
  on: 'bool',
  inner: { value: 'int' },
  list: ['int'],
  items: [{ name: 'string' }],
} as const;
const EMPTY = { name: undefined, count: undefined, on: undefined, inner: undefined, list: [], items: [] };

const READ: [string, string, object][] = [
  ['an empty message', ' # only a comment', {}],
  ['scalars', 'name: "a" count: -12 on: true', { name: 'a', count: -12, on: true }],
  ['short booleans and hexadecimal', 'on: f count: 0x1F', { on: false, count: 31 }],
  ['separators and no spaces', 'name:"a",count:1;on:t', { name: 'a', count: 1, on: true }],
  ['escapes', String.raw`name: "\"\\\n\x41\101\u00e9\'"`, { name: '"\\\nAAé\'' }],
  ['single quotes and adjacent strings', `name: 'a' "b"\n'c'`, { name: 'abc' }],
  ['comments, and # inside strings', 'name: "a#b" # c: "d"\ncount: 1', { name: 'a#b', count: 1 }],
  ['messages', 'inner { value: 3 }', { inner: { value: 3 } }],
  ['messages with colon and angle brackets', 'inner: < value: 3 >', { inner: { value: 3 } }],
  [
    'repeated fields',
    'list: 1 list: 2 items { name: "a" } items {}',
    { list: [1, 2], items: [{ name: 'a' }, { name: undefined }] },
  ],
  ['lists', 'list: [1, 2] list: [] items: [{ name: "a" }]', { list: [1, 2], items: [{ name: 'a' }] }],
];
for (const [what, text, expected] of READ) {
  test(`reads ${what}`, () => assert.deepEqual(parseTextFormat(text, SCHEMA), { ...EMPTY, ...expected }));
}

const REFUSED: [string, string, string][] = [
  [
    'an unknown field',
    '\ncolour: 1',
    'line 2: unknown field colour; the fields are name, count, on, inner, list, items',
  ],
  [
    'a field named like a member of Object.prototype',
    'toString: 1',
    'line 1: unknown field toString; the fields are name, count, on, inner, list, items',
  ],
  ['a field that is set twice', 'count: 1\ncount: 2', 'line 2: count is set twice'],
  ['a value of the wrong type', 'count: "1"', 'line 1: expected int for count, found "1"'],
  ['a fraction', 'count: 1.5', 'line 1: expected int for count, found 1.5'],
  ['an integer beyond 2^53', 'count: 9007199254740993', 'line 1: expected int for count, found 9007199254740993'],
  ['a missing colon', 'count 1', 'line 1: expected : after count, found 1'],
  ['a scalar where a message is expected', 'inner: 1', 'line 1: expected { after inner, found 1'],
  ['an unclosed message', 'inner { value: 1', 'line 1: expected a field name, found the end'],
  ['a mismatched bracket', 'inner { value: 1 >', 'line 1: expected a field name, found >'],
  ['an extra closing bracket', 'inner { } }', 'line 1: expected a field name, found }'],
  ['an unclosed list', 'list: [1', 'line 1: expected , or ], found the end'],
  ['an unclosed string', 'name: "a\n"', 'line 1: unexpected "\\""'],
  ['an unexpected character', 'name: €', 'line 1: unexpected "€"'],
];
for (const [what, text, message] of REFUSED) {
  test(`refuses ${what}`, () => assert.throws(() => parseTextFormat(text, SCHEMA), { name: 'SyntaxError', message }));
}
