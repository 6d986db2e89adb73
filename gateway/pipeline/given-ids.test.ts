import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringTensor } from '../domain/strings.ts';
import { givenIdOf, MAX_ID_LENGTH } from './given-ids.ts';

const members = (text: string) => stringTensor([1], [Buffer.from(text)]);

test('an id is plain text, a number with all its digits; the field of the record comes before id', () => {
  assert.equal(givenIdOf(['"sku-1"'], 0), 'sku-1');
  assert.equal(givenIdOf(['12345678901234567890'], 0), '12345678901234567890');
  assert.equal(givenIdOf([undefined], 0), undefined);
  assert.equal(givenIdOf(members('"id":7,"customer":"c"'), 0, 'customer'), 'c');
  assert.equal(givenIdOf(members('"id":7'), 0, 'customer'), '7');
  assert.equal(givenIdOf(members(''), 0), undefined);
});

test('an id that no label can name is none, and is not parsed where it is huge', () => {
  const longest = 'é'.repeat(MAX_ID_LENGTH);
  for (const read of [
    (id: string) => givenIdOf([JSON.stringify(id)], 0),
    (id: string) => givenIdOf(members(`"id":${JSON.stringify(id)}`), 0),
  ]) {
    assert.equal(read(longest), longest);
    assert.equal(read('\u0000'.repeat(MAX_ID_LENGTH)), '\u0000'.repeat(MAX_ID_LENGTH));
    assert.equal(read(`${longest}x`), undefined);
    assert.equal(read('x'.repeat(2 ** 20)), undefined);
  }
  assert.equal(givenIdOf([`"${'x'.repeat(2 ** 20)}`], 0), undefined);
});

test('an id is well-formed Unicode', () => {
  assert.equal(givenIdOf(['"a\\ud800\\nb"'], 0), 'a\ufffd\nb');
});
