import assert from 'node:assert/strict';
import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { temporary } from '../../../tests/candidates.ts';
import { readFieldNumbers } from './wire.ts';

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))];
}

const number = fc.integer({ min: 1, max: 2 ** 29 - 1 });
const field = fc.oneof(
  fc.tuple(number, fc.nat()).map(([id, value]) => ({ id, bytes: [...varint(id * 8), ...varint(value)] })),
  fc.tuple(number, fc.uint8Array({ maxLength: 300 })).map(([id, content]) => ({
    id,
    bytes: [...varint(id * 8 + 2), ...varint(content.length), ...content],
  })),
  number.map((id) => ({ id, bytes: [...varint(id * 8 + 1), 1, 2, 3, 4, 5, 6, 7, 8] })),
  number.map((id) => ({ id, bytes: [...varint(id * 8 + 5), 1, 2, 3, 4] })),
);

test('the fields of every message are read, and a truncated message is refused', async (t) => {
  const file = path.join(await temporary(t), 'message');
  const read = async (bytes: Uint8Array) => {
    await writeFile(file, bytes);
    await using handle = await open(file);
    return await readFieldNumbers(handle, bytes.length);
  };
  const property = fc.asyncProperty(fc.array(field, { minLength: 1, maxLength: 8 }), async (fields) => {
    const message = Uint8Array.from(fields.flatMap(({ bytes }) => bytes));
    assert.deepEqual(await read(message), new Set(fields.map(({ id }) => id)));
    await assert.rejects(read(message.subarray(0, -1)), SyntaxError);
  });
  await fc.assert(property, { seed: 1, numRuns: 100 });
});

test('any bytes are read to the end or refused with a SyntaxError', async (t) => {
  const file = path.join(await temporary(t), 'bytes');
  const property = fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) => {
    await writeFile(file, bytes);
    await using handle = await open(file);
    await readFieldNumbers(handle, bytes.length).catch((error: unknown) => assert.ok(error instanceof SyntaxError));
  });
  await fc.assert(property, { seed: 2, numRuns: 200 });
});
