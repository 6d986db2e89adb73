/** The tables for resizing and scaling equal those of Pillow and numpy in golden.json. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NamedScale } from '../../gateway/domain/picture.ts';
import { createTables, SCALES } from '../../gateway/image/normalise.ts';
import { FILTERS, fixedPointTable, nearestIndices } from '../../gateway/image/resample/pillow-tables.ts';
import { loadGolden, sha256 } from './golden.ts';

const golden = loadGolden();

const axis = (input: number, resized: number) => ({
  input,
  boxStart: 0,
  boxSize: input,
  resized,
  windowStart: 0,
  windowSize: resized,
});

for (const { in: input, out, filter, sha256: expected } of golden.coefficients) {
  test(`${filter} from ${input} to ${out} pixels has the weights of Pillow`, () => {
    const { starts, counts, weights, width } = fixedPointTable(
      axis(input, out),
      FILTERS[filter as keyof typeof FILTERS],
    );
    const rows = [...starts].flatMap((start, i) => {
      const count = counts[i] as number;
      return [start, count, ...weights.subarray(i * width, i * width + count)];
    });
    assert.equal(sha256(Int32Array.from(rows)), expected);
  });
}

for (const { in: input, out, sha256_u16le: expected } of golden.nearest_indices) {
  test(`nearest from ${input} to ${out} pixels picks the pixels of Pillow`, () => {
    assert.equal(sha256(Uint16Array.from(nearestIndices(axis(input, out)))), expected);
  });
}

for (const [scale, base64] of Object.entries(golden.luts) as [NamedScale, string][]) {
  test(`scale ${scale} has the values of numpy for all 256 bytes`, () => {
    const expected = Buffer.from(base64, 'base64');
    const tables = createTables(scale);
    const inOutputOrder = SCALES[scale].reversed ? tables.toReversed() : tables;
    assert.equal(sha256(Float32Array.from(inOutputOrder.flatMap((table) => [...table]))), sha256(expected));
  });
}
