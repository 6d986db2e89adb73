import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atOnce } from '../../domain/steps.ts';
import { grown, masksOf } from './masks.ts';

test('a segment grows by the pixels within the radius', () => {
  const extent = { height: 23, width: 31 };
  const labels = Uint32Array.from({ length: 23 * 31 }, (_, pixel) => (pixel === 11 * 31 + 15 ? 1 : 0));
  const [all, one] = atOnce(grown(labels, extent, 5));
  const within = Array.from(labels.keys()).filter(
    (pixel) => (Math.floor(pixel / 31) - 11) ** 2 + ((pixel % 31) - 15) ** 2 <= 25,
  );
  assert.deepEqual(one?.toSorted(), Uint32Array.from(within));
  assert.equal(all?.length, 23 * 31);
});

test('every pixel of a picture is in a region of each scale', () => {
  const [height, width] = [40, 50];
  const pixels = Float32Array.from({ length: height * width * 3 }, (_, at) => ((at >> 6) * 37) % 256);
  const masks = atOnce(masksOf({ pixels, height, width, channels: 3 }));
  const counts = new Uint32Array(height * width);
  for (const mask of masks) for (const pixel of mask) counts[pixel] = (counts[pixel] as number) + 1;
  assert.ok(Math.min(...counts) >= 6);
  assert.ok(
    masks.every((mask) => new Set(mask).size === mask.length),
    'no pixel is twice in a region',
  );
});

test('a picture of one colour is one region in each scale', () => {
  const masks = atOnce(masksOf({ pixels: new Float32Array(32 * 32).fill(7), height: 32, width: 32, channels: 1 }));
  assert.deepEqual(
    masks.map((mask) => mask.length),
    new Array(6).fill(32 * 32),
  );
});
