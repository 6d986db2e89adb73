import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JsonScanner, type ScannerLimits } from './scanner.ts';

const LIMITS = { maxDepth: 64, maxValues: 1000, setting: 'MAX_INSTANCES', maxHeapBytes: 1e9 };

/** Feeds the text in pieces of this many bytes. Returns the values that were counted. */
function scan(text: string, pieceBytes = 1e9, limits: ScannerLimits = LIMITS): number {
  const scanner = new JsonScanner(limits);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) scanner.feed(bytes.subarray(at, at + pieceBytes));
  return scanner.values;
}

test('A02: JSON that is too deep or has too many values is refused at the byte that is too much', () => {
  const deep = { kind: 'invalid_json', message: 'The JSON is nested more than 64 levels deep.' };
  const many = { kind: 'body_too_large', message: 'The body has more than 1000 JSON values (MAX_INSTANCES).' };
  for (const pieceBytes of [1, 3, 1e9]) {
    assert.throws(() => scan('['.repeat(65), pieceBytes), deep);
    assert.throws(() => scan('{"a":'.repeat(65), pieceBytes), deep);
    assert.throws(() => scan(`{"instances":[${'{},'.repeat(600)}`, pieceBytes), many);
    assert.throws(() => scan(`[${'1,'.repeat(1000)}`, pieceBytes), many);
    assert.doesNotThrow(() => scan('['.repeat(64) + ']'.repeat(64), pieceBytes));
    assert.doesNotThrow(() => scan('[[]]'.repeat(400), pieceBytes));
  }
});

test('A02: nothing in strings and keys counts, whatever is escaped there', () => {
  for (const text of ['[[[,,,{{{', '\\"[[[,', '\\\\', '\\\\\\"[[', 'é€𝄞,[{', '"']) {
    const json = JSON.stringify({ [text]: text });
    for (const pieceBytes of [1, 2, 5, 1e9]) assert.equal(scan(json, pieceBytes), 2, json);
  }
});

/** The values in a parsed body: lists, objects and what is in them. */
function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, item) => sum + countValues(item), 1);
}

test('A02: the count is never below the number of values, and the same for any pieces', () => {
  const limits = { maxDepth: 1e6, maxHeapBytes: 1e9 };
  const property = fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 1, max: 20 }), (value, pieceBytes) => {
    const text = JSON.stringify(value);
    const counted = scan(text, pieceBytes, limits);
    assert.equal(counted, scan(text, 1e9, limits));
    const actual = countValues(JSON.parse(text));
    assert.ok(counted >= actual && counted <= 2 * actual, `${counted} of ${actual}`);
  });
  fc.assert(property, { numRuns: 500 });
});

test('the heap that parsing may take is bounded: objects and members take more than numbers', () => {
  const limits = { maxDepth: 64, maxHeapBytes: 100e6 };
  const tooLarge = { kind: 'body_too_large', message: /takes more memory than there is for it/ };
  assert.doesNotThrow(() => scan(`[${'1,'.repeat(900_000)}1]`, 65_536, limits));
  assert.throws(() => scan(`[${'1,'.repeat(1_000_000)}1]`, 65_536, limits), tooLarge);
  assert.doesNotThrow(() => scan(`[${'{"a":1},'.repeat(270_000)}{}]`, 65_536, limits));
  assert.throws(() => scan(`[${'{"a":1},'.repeat(300_000)}{}]`, 65_536, limits), tooLarge);
  const text = 'a'.repeat(30_000_000);
  assert.doesNotThrow(() => scan(`["${text}"]`, 65_536, limits));
  assert.throws(() => scan(`["${text}é"]`, 65_536, limits), tooLarge, 'two bytes for each character');
});
