import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { findKey, makeKey, readKeys } from './keys.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'keys-'));
after(() => rmSync(folder, { recursive: true }));
const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');

function read(text: string) {
  const file = path.join(folder, 'keys.yaml');
  writeFileSync(file, text);
  return readKeys(file);
}

test('YAML and JSON give the same entries, with rate, quota and expiry', () => {
  const keys = read(`- name: a\n  sha256: ${sha256('x')}\n  expires: 2027-01-31\n  rate: 50/s\n  quota: 1000\n`);
  const entry = { name: 'a', sha256: sha256('x'), expires: '2027-01-31', rate: '50/s', quota: 1000 };
  assert.deepEqual(keys, read(JSON.stringify([entry])));
  const [key] = keys;
  assert.deepEqual([key?.rate, key?.quota], [{ count: 50, windowS: 1 }, 1000]);
  assert.equal(key?.expiresMs, Date.UTC(2027, 0, 31));
});

test('a hash that looks like a YAML number stays text', () => {
  const digits = `${'1'.repeat(30)}e${'2'.repeat(33)}`;
  assert.equal(read(`- {name: a, sha256: ${digits}}`)[0]?.digest.toString('hex'), digits);
});

test('an empty file has no keys', () => {
  assert.deepEqual(read(''), []);
});

for (const [what, text, message] of [
  ['something other than a list', 'name: a', /^file: needs a list/],
  ['an entry without a name', `- sha256: ${sha256('x')}`, /^0\.name: needs a name/],
  ['a name with a space', `- {name: a b, sha256: ${sha256('x')}}`, /^0\.name: needs 1 to 64/],
  ['a key instead of its hash', '- {name: a, sha256: tg_secret}', /^0\.sha256: needs 64/],
  [
    'a key beside its hash',
    `- {name: a, sha256: ${sha256('x')}, key: tg_secret}`,
    /^0: needs no fields but name, sha256/,
  ],
  ['an invalid date', `- {name: a, sha256: ${sha256('x')}, expires: tg_secret}`, /^0\.expires: needs a date/],
  ['a rate without a unit', `- {name: a, sha256: ${sha256('x')}, rate: '20'}`, /^0\.rate: needs a number/],
  ['invalid YAML', '- {name: tg_secret', /^line 1 is not YAML/],
] as const) {
  test(`a file with ${what} is refused, and the error has none of its values`, () => {
    assert.throws(
      () => read(text),
      (error: Error) =>
        message.test(error.message) && !error.message.includes('tg_secret') && !error.message.includes(sha256('x')),
    );
  });
}

test('a new key finds its own entry, at every position of the list, and no other text does', () => {
  const made = ['one', 'two', 'three'].map(makeKey);
  const keys = read(made.map(({ entry }) => entry).join(''));
  assert.deepEqual(
    made.map(({ key }) => findKey(keys, key)?.name),
    ['one', 'two', 'three'],
  );
  for (const wrong of ['', 'tg_', `${made[0]?.key} `, sha256(made[0]?.key ?? '')]) {
    assert.equal(findKey(keys, wrong), undefined);
  }
  assert.equal(new Set(made.map(({ key }) => key)).size, 3);
});
