import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BodyBuffer } from './body-buffer.ts';

test('A01: memory depends on the length of a body, not on the number of its pieces', () => {
  for (const [length, most] of [
    [1, 256],
    [20_000, 64 * 1024],
    [1_000_000, 1_048_576],
  ] as const) {
    let taken = 0;
    const body = new BodyBuffer(32e6, (bytes) => {
      taken += bytes;
    });
    const piece = Buffer.from('x');
    for (let at = 0; at < length; at += 1) body.append(piece);
    assert.equal(body.bytes().length, length);
    assert.ok(taken >= length && taken <= most, `${taken} bytes for ${length}`);
  }
});

test('the body is what its pieces are together, and never takes more than its limit', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 40_000 }), { maxLength: 12 });
  const property = fc.property(pieces, (given) => {
    const whole = Buffer.concat(given);
    let taken = 0;
    const body = new BodyBuffer(whole.length, (bytes) => {
      taken += bytes;
    });
    for (const piece of given) body.append(piece);
    assert.deepEqual(body.bytes(), whole);
    assert.ok(taken <= Math.max(whole.length, 256));
  });
  fc.assert(property, { numRuns: 200 });
});

test('memory that is refused is not taken, and a freed buffer is empty', () => {
  const body = new BodyBuffer(32e6, (bytes) => {
    if (bytes > 1000) throw new RangeError('no more');
  });
  body.append(Buffer.alloc(100));
  assert.throws(() => body.append(Buffer.alloc(100_000)), RangeError);
  assert.equal(body.length, 100);
  body.free();
  assert.equal(body.length, 0);
});
