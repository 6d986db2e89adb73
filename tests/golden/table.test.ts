/** Section C of the attack table by its ids: for each row the golden images that cover it, decoded as Pillow does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageFormat, NamedScale } from '../../gateway/domain/picture.ts';
import { createNormaliser, createTables } from '../../gateway/image/normalise.ts';
import { nearestIndices } from '../../gateway/image/resample/pillow-tables.ts';
import { restrictSharp } from '../../gateway/image/restrict-sharp.ts';
import { testSpec } from '../../gateway/image/test-spec.ts';
import { loadGolden, readImage, sha256 } from './golden.ts';
import { createDecoder } from './run.ts';

const FORMATS: readonly ImageFormat[] = ['jpeg', 'png', 'webp', 'gif', 'avif'];
const RGB = { color: 'rgb', engine: 'pillow' } as const;
const golden = loadGolden();
restrictSharp(FORMATS);

const ROWS: readonly [row: string, names: RegExp][] = [
  [
    'C9: gray, alpha, palette, 16-bit and 1-bit PNG',
    /^png-(?:l1|l2|l4|l8|l16|la8|la16|p1|p4|p8|rgb8|rgb16|rgba8|rgba16)\b/,
  ],
  ['C10: CMYK and YCCK JPEG, with and without the Adobe marker', /^jpg-(?:cmyk|ycck|rgb-adobe)/],
  ['C11: EXIF orientation 1 to 8 is ignored', /^(?:jpg|png|webp)-exif-/],
  ['C12: ICC profiles and gamma are ignored', /^(?:jpg-icc|png-gama|png-iccp|webp-icc)/],
  [
    'C13: progressive JPEG, every subsampling, restart markers, odd sizes',
    /^jpg-(?:progressive|gray-prog|4|restart|17x16|300x7)/,
  ],
  ['C16: lossless, lossy and alpha WebP, and AVIF', /^(?:webp-(?:lossless|lossy)|avif)/],
  ['C19: the first image of an MPO', /^jpg-mpo/],
];

for (const [row, names] of ROWS) {
  test(`${row}: as Pillow decodes it`, async (t) => {
    const chosen = Object.keys(golden.images).filter((name) => names.test(name));
    assert.ok(chosen.length > 0);
    for (const name of chosen) {
      const decoded = golden.images[name]?.decoded;
      assert.ok(decoded && 'rgb_sha256' in decoded, name);
      assert.equal(sha256((await createDecoder(readImage(name), FORMATS)(RGB)).data), decoded.rgb_sha256, name);
    }
    t.diagnostic(`came: ${chosen.length} pictures, largest difference 0`);
  });
}

test('C8: nearest from every width of 1 to 3,000 to 299 adds up its steps, as Pillow does', (t) => {
  let different = 0;
  for (let width = 1; width <= 3000; width += 1) {
    const axis = { input: width, boxStart: 0, boxSize: width, resized: 299, windowStart: 0, windowSize: 299 };
    const step = width / 299;
    let at = step / 2;
    const places = nearestIndices(axis);
    for (let x = 0; x < 299; x += 1, at += step) assert.equal(places[x], Math.trunc(at), `${width} pixels, ${x}`);
    if (places.some((place, x) => place !== Math.floor(((x + 0.5) * width) / 299))) different += 1;
  }
  t.diagnostic(`came: 3,000 widths; a product would pick other pixels in ${different} of them`);
  assert.ok(different > 0);
});

const SPEC = testSpec({ size: [1, 1], engine: 'tensorflow', resize: 'bilinear' });

test('C20: every scale maps every byte to a finite value, tf and mul127 to [-1, 1]', () => {
  const scales: readonly NamedScale[] = ['tf', 'mul127', 'div255', 'mul255', 'torch', 'caffe', 'none'];
  for (const scale of scales)
    assert.ok(
      createTables(scale).every((table) => table.every(Number.isFinite)),
      scale,
    );
  for (const scale of ['tf', 'mul127'] as const) {
    assert.ok(createTables(scale).every((table) => table.every((value) => value >= -1 && value <= 1)));
  }
});

test('C20: a value that is not finite fails with 500 internal and never reaches the model', () => {
  const normalise = createNormaliser(SPEC);
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const picture = { width: 1, height: 1, channels: 3, data: Float32Array.of(0, wrong, 255) } as const;
    assert.throws(() => normalise(picture, new Float32Array(3)), { kind: 'internal' });
  }
});
