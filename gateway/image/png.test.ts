import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { writePng } from './png.ts';

for (const channels of [1, 3] as const) {
  test(`a PNG of ${channels} channels has the pixels that were written`, async () => {
    const data = Uint8Array.from({ length: 5 * 3 * channels }, (_, index) => (index * 37) % 256);
    const png = await writePng({ width: 5, height: 3, channels, data });
    const space = channels === 1 ? 'b-w' : 'srgb';
    const read = await sharp(png).toColourspace(space).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([read.info.width, read.info.height, read.info.channels], [5, 3, channels]);
    assert.deepEqual(new Uint8Array(read.data), data);
  });
}
