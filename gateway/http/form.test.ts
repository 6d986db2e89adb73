import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openForm } from './form.ts';

const HEADERS = { 'content-type': 'multipart/form-data; boundary=b' };
const LIMITS = { maxImageBytes: 1e6, maxInstances: 8 };

type Part = { readonly isText: boolean; readonly bytes: Uint8Array };

function bodyOf(parts: readonly Part[]): Buffer {
  const pieces = parts.flatMap(({ isText, bytes }) => [
    `--b\r\nContent-Disposition: form-data; name="file"${isText ? '' : '; filename="a"'}\r\n\r\n`,
    bytes,
    '\r\n',
  ]);
  return Buffer.concat([...pieces, '--b--\r\n'].map((piece) => Buffer.from(piece as string)));
}

/** Bytes with many beginnings of a boundary. */
const content = fc
  .array(fc.constantFrom('\r', '\n', '-', '\r\n--', 'x', 'x'.repeat(40_000)), { maxLength: 30 })
  .map((words) => Buffer.from(words.join('')));
const parts = fc.array(fc.record({ isText: fc.boolean(), bytes: content }), { minLength: 1, maxLength: 8 });

test('A01: every file is the bytes that were sent, whatever looks like a boundary in it', async () => {
  const property = fc.asyncProperty(parts, async (given) => {
    const { files } = await openForm(HEADERS, LIMITS)(bodyOf(given), () => undefined);
    assert.deepEqual(
      files.map(({ bytes }) => Buffer.from(bytes)),
      given.map(({ bytes }) => Buffer.from(bytes)),
    );
  });
  await fc.assert(property, { numRuns: 100 });
});

test('A01: files are slices of the body; those that busboy copies are counted', async () => {
  const bytes = Buffer.alloc(500_000, 7);
  const body = bodyOf([
    { isText: false, bytes },
    { isText: true, bytes },
  ]);
  let copied = 0;
  const { files } = await openForm(HEADERS, LIMITS)(body, (count) => {
    copied += count;
  });
  assert.deepEqual(
    files.map((file) => file.bytes.buffer === body.buffer),
    [true, false],
  );
  assert.equal(copied, bytes.length);
});

test('A01: copies that do not fit into the memory for bodies refuse the form', async () => {
  const body = bodyOf([{ isText: true, bytes: Buffer.alloc(500_000, 7) }]);
  const full = () => {
    throw new RangeError('full');
  };
  await assert.rejects(openForm(HEADERS, LIMITS)(body, full), { kind: 'internal' });
});
