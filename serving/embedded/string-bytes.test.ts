import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { bytesOfString, stringOfBytes } from './string-bytes.ts';

test('UTF-8 without zeros passes as it is', () => {
  for (const text of ['', 'abc', 'é', '\ufeffmark', '\u{1f600}', '\u{10ffff}']) {
    assert.equal(stringOfBytes(Buffer.from(text)), text);
    assert.deepEqual(bytesOfString(text), Buffer.from(text));
  }
});

const OTHERS: Record<string, Buffer> = {
  'a zero byte': Buffer.from('a\0b'),
  'a byte that begins no character': Buffer.from([0x61, 0x80, 0x62]),
  'a character that is cut': Buffer.from([0xe2, 0x82]),
  'a character in too many bytes': Buffer.from([0xc0, 0xaf]),
  'half of a surrogate pair': Buffer.from([0xed, 0xa0, 0x80]),
  'the code points that replace bytes': Buffer.from('\u{10fe00}é\u{10feff}'),
  'bytes above the last character': Buffer.from([0xf4, 0x90, 0x80, 0x80, 0xff]),
  'text around them': Buffer.concat([Buffer.from('é'), Buffer.from([0xff]), Buffer.from('é\u{1f600}')]),
};
for (const [what, bytes] of Object.entries(OTHERS)) {
  test(`${what}: the string has no zero, is well formed and gives the bytes back`, () => {
    const text = stringOfBytes(bytes);
    assert.ok(!text.includes('\0') && text.isWellFormed());
    assert.deepEqual(bytesOfString(text), bytes);
    // ONNX Runtime for Node takes UTF-8 and returns UTF-8.
    assert.deepEqual(bytesOfString(Buffer.from(text).toString()), bytes);
  });
}

test('random bytes come back unchanged', () => {
  for (let length = 0; length < 400; length++) {
    const bytes = randomBytes(length);
    assert.deepEqual(bytesOfString(stringOfBytes(bytes)), bytes, bytes.toString('hex'));
  }
});
