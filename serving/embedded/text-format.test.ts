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
  ['nothing', ' # only a comment', {}],
  ['scalars', 'name: "a" count: -12 on: true', { name: 'a', count: -12, on: true }],
  ['short booleans and hexadecimal', 'on: f count: 0x1F', { on: false, count: 31 }],
  ['separators and no spaces', 'name:"a",count:1;on:t', { name: 'a', count: 1, on: true }],
  ['escapes', String.raw`name: "\"\\\n\x41\101\u00e9\'"`, { name: '"\\\nAAé\'' }],
  ['single quotes and parts', `name: 'a' "b"\n'c'`, { name: 'abc' }],
  ['comments between and in strings', 'name: "a#b" # c: "d"\ncount: 1', { name: 'a#b', count: 1 }],
  ['messages', 'inner { value: 3 }', { inner: { value: 3 } }],
  ['messages with colon and angles', 'inner: < value: 3 >', { inner: { value: 3 } }],
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
    'line 2: no field is named colour; there are name, count, on, inner, list, items',
  ],
  [
    'a name of Object.prototype',
    'toString: 1',
    'line 1: no field is named toString; there are name, count, on, inner, list, items',
  ],
  ['a field given twice', 'count: 1\ncount: 2', 'line 2: count is given twice'],
  ['a wrong type', 'count: "1"', 'line 1: expected int for count, found "1"'],
  ['a fraction', 'count: 1.5', 'line 1: expected int for count, found 1.5'],
  ['an integer beyond 2^53', 'count: 9007199254740993', 'line 1: expected int for count, found 9007199254740993'],
  ['a missing colon', 'count 1', 'line 1: expected : behind count, found 1'],
  ['a scalar for a message', 'inner: 1', 'line 1: expected { behind inner, found 1'],
  ['an open message', 'inner { value: 1', 'line 1: expected the name of a field, found the end'],
  ['a wrong bracket', 'inner { value: 1 >', 'line 1: expected the name of a field, found >'],
  ['a bracket too many', 'inner { } }', 'line 1: expected the name of a field, found }'],
  ['an open list', 'list: [1', 'line 1: expected , or ], found the end'],
  ['an open string', 'name: "a\n"', 'line 1: unexpected "\\""'],
  ['other characters', 'name: €', 'line 1: unexpected "€"'],
];
for (const [what, text, message] of REFUSED) {
  test(`refuses ${what}`, () => assert.throws(() => parseTextFormat(text, SCHEMA), { name: 'SyntaxError', message }));
}
