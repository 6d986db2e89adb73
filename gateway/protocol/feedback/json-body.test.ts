import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, MAX_LABELS } from './json-body.ts';

const read = (body: unknown) => format.read(body, undefined);

test('one label, or a list of them; numbers and booleans become text', () => {
  assert.deepEqual(read({ id: 'a', label: 'pants' }), [{ id: 'a', label: 'pants' }]);
  const labels = [
    { id: 7, label: true },
    { id: '7', label: 1.5 },
  ];
  assert.deepEqual(read(labels), [
    { id: '7', label: 'true' },
    { id: '7', label: '1.5' },
  ]);
});

test('half a surrogate pair is replaced, as in the ids of predictions', () => {
  assert.deepEqual(read({ id: 'a\ud800', label: 'b\udc00' }), [{ id: 'a\ufffd', label: 'b\ufffd' }]);
});

test('a mistake is refused with its place', () => {
  const mistakes: readonly (readonly [body: unknown, place: RegExp])[] = [
    [3, /^body: needs an object such as/],
    [[], /^body: the list must not be empty/],
    [[{ id: 'a', label: 'b' }, null], /^\[1\]: needs an object/],
    [{ label: 'b' }, /^id: needs a string of 1 to 1000 characters/],
    [{ id: '', label: 'b' }, /^id: needs a string of 1 to 1000 characters/],
    [{ id: 2 ** 60, label: 'b' }, /^id: needs .* a number below 2\^53/],
    [[{ id: 'a', label: ['b'] }], /^\[0\]\.label: needs true, false, a string/],
    [{ id: 'a', label: 'x'.repeat(1001) }, /^label: needs/],
    [{ id: 'a', label: 'b', model: 'c' }, /^model: no such field; send id and label/],
  ];
  for (const [body, place] of mistakes) {
    assert.throws(() => read(body), { kind: 'invalid_request', message: place }, JSON.stringify(body));
  }
  const many = Array.from({ length: MAX_LABELS + 1 }, () => ({ id: 'a', label: 'b' }));
  assert.throws(() => read(many), { kind: 'body_too_large' });
});
