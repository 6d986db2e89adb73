import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import type { ImageSpec, Pixels } from '../domain/picture.ts';
import { createNormaliser } from './normalise.ts';
import { createResampler } from './resample.ts';
import { testSpec } from './test-spec.ts';

const SPEC = testSpec({ size: [11, 50], resize: 'bilinear', scale: 'none' });

/** Resizing and scaling, which the decoder and the gateway do one after the other. */
function createPreprocessor(spec: ImageSpec) {
  const resample = createResampler(spec);
  const normalise = createNormaliser(spec);
  return (pixels: Pixels, out: Float32Array) => normalise(resample(pixels), out);
}

/** A picture by formula, which Python can compute too: sample i is (31 i² + 17 i) modulo the range. */
function drawn(width: number, height: number, channels: 1 | 3, data: Uint8Array | Uint16Array): Pixels {
  const range = data instanceof Uint8Array ? 256 : 65_536;
  for (let i = 0; i < data.length; i++) data[i] = (31 * i * i + 17 * i) % range;
  return { width, height, channels, data };
}

const rgb = (width: number, height: number) => drawn(width, height, 3, new Uint8Array(3 * width * height));

function hash(pixels: Pixels, spec: ImageSpec): string {
  const out = new Float32Array(spec.size[0] * spec.size[1] * pixels.channels);
  createPreprocessor(spec)(pixels, out);
  return createHash('sha256').update(new Uint8Array(out.buffer)).digest('hex').slice(0, 16);
}

describe('tf.image.resize of 37 x 23 pixels gives the bytes of TensorFlow 2.19.1', () => {
  const rows: [resize: ImageSpec['resize'], antialias: boolean, size: [number, number], sha256: string][] = [
    ['nearest', false, [11, 50], '28abbfcaf5984176'],
    ['nearest', false, [40, 9], '06c2a78e63d4ee20'],
    ['bilinear', false, [11, 50], '69a246e17eccc6ed'],
    ['bilinear', false, [40, 9], '40648214209bd085'],
    ['bilinear', true, [11, 50], '9665748bf2b25e61'],
    ['bilinear', true, [40, 9], '849301dacd4da3d0'],
    ['bicubic', false, [11, 50], 'b7659f4adccf6e71'],
    ['bicubic', false, [40, 9], '95510b6bd1051aa1'],
    ['bicubic', true, [11, 50], '07f891600cab1030'],
    ['bicubic', true, [40, 9], 'a30a746ea207f19a'],
    ['area', false, [11, 50], '6da929376e1e7ba3'],
    ['area', false, [40, 9], '3af3199f9f1ab481'],
    ['lanczos3', false, [11, 50], 'abb3939d5092a619'],
    ['lanczos3', false, [40, 9], '4106444e56233baf'],
    ['lanczos3', true, [11, 50], '80ffba42cbd942c6'],
    ['lanczos3', true, [40, 9], '379935f6608d0f77'],
  ];
  for (const [resize, antialias, size, expected] of rows) {
    test(`${resize}${antialias ? ', antialias' : ''}, to ${size.join(' x ')}`, () => {
      assert.equal(hash(rgb(37, 23), { ...SPEC, engine: 'tensorflow', resize, antialias, size }), expected);
    });
  }
});

describe('16-bit gray of 37 x 23 pixels is resized to the bytes of Pillow 13', () => {
  const rows: [resize: ImageSpec['resize'], size: [number, number], sha256: string][] = [
    ['nearest', [11, 50], '5bf0c5e27e3ce9bb'],
    ['nearest', [40, 9], '049b077f6e9d5911'],
    ['box', [11, 50], '35e9eb7b0b2f769f'],
    ['box', [40, 9], '67d3bc4d527b351c'],
    ['bilinear', [11, 50], '3fe368ad66c2d3eb'],
    ['bilinear', [40, 9], 'a7176899f62ad1c3'],
    ['hamming', [11, 50], '61c943c1dcdccc61'],
    ['hamming', [40, 9], '3ef03622025dc929'],
    ['bicubic', [11, 50], 'ff4b173b57051a23'],
    ['bicubic', [40, 9], 'ed8b85acd9e666df'],
    ['lanczos', [11, 50], '645edf3f6ee85f08'],
    ['lanczos', [40, 9], '4099f1e0ff1784f5'],
  ];
  for (const [resize, size, expected] of rows) {
    test(`${resize}, to ${size.join(' x ')}`, () => {
      const picture = drawn(37, 23, 1, new Uint16Array(37 * 23));
      assert.equal(hash(picture, { ...SPEC, color: 'grayscale', resize, size }), expected);
    });
  }
});

describe('a crop of extreme shapes gives the bytes of Keras 3.15.1 with Pillow 13', () => {
  const rows: [width: number, height: number, ImageSpec['resize'], size: [number, number], sha256: string][] = [
    [1, 500, 'nearest', [10, 30], '2fb115194bf4d9f0'],
    [1, 500, 'nearest', [30, 10], '1f2ddfa0883892e6'],
    [1, 500, 'bilinear', [10, 30], 'f1f6bb3bc3443af4'],
    [1, 500, 'bilinear', [30, 10], '5087d59ba560a8cd'],
    [500, 1, 'nearest', [10, 30], '33409433240e2de8'],
    [500, 1, 'nearest', [30, 10], '2fb115194bf4d9f0'],
    [500, 1, 'bilinear', [10, 30], '45882f82509236a0'],
    [500, 1, 'bilinear', [30, 10], 'f1f6bb3bc3443af4'],
    [3, 2, 'nearest', [10, 30], '474cf0ab0d5d46fb'],
    [3, 2, 'nearest', [30, 10], 'cfa3b58dcbb02859'],
    [3, 2, 'bilinear', [10, 30], '3cd6efd618c6ce88'],
    [3, 2, 'bilinear', [30, 10], 'e9d3a9cdb6c85227'],
  ];
  for (const [width, height, resize, size, expected] of rows) {
    test(`${width} x ${height}, ${resize}, to ${size.join(' x ')}`, () => {
      assert.equal(hash(rgb(width, height), { ...SPEC, fit: 'crop', resize, size }), expected);
    });
  }
});

describe('a preprocessor', () => {
  test('writes only into its slice', () => {
    const wire = new Float32Array(3 * 11 * 50 * 3).fill(9);
    const slice = wire.subarray(11 * 50 * 3, 2 * 11 * 50 * 3);
    createPreprocessor(SPEC)(rgb(37, 23), slice);
    assert.ok(
      wire.subarray(0, 1650).every((value) => value === 9) && wire.subarray(3300).every((value) => value === 9),
    );
    assert.ok(slice.some((value) => value !== 9));
  });

  test('gives the same result after pictures of other sizes', () => {
    const preprocess = createPreprocessor(SPEC);
    const first = new Float32Array(1650);
    const again = new Float32Array(1650);
    preprocess(rgb(37, 23), first);
    for (let width = 1; width < 200; width++) preprocess(rgb(width, 7), again);
    preprocess(rgb(37, 23), again);
    assert.deepEqual(again, first);
  });

  test('does not change a picture of the target size', () => {
    const out = new Float32Array(50 * 11 * 3);
    const picture = rgb(50, 11);
    for (const resize of ['nearest', 'bilinear', 'lanczos'] as const) {
      createPreprocessor({ ...SPEC, resize })(picture, out);
      assert.deepEqual(out, Float32Array.from(picture.data));
    }
  });

  test('crops a picture whose shorter side has the target length', () => {
    const out = new Float32Array(4 * 4);
    const gray = drawn(9, 4, 1, new Uint8Array(36));
    createPreprocessor({ ...SPEC, color: 'grayscale', size: [4, 4], fit: { shorter: 4 } })(gray, out);
    // The window starts at (9 - 4) / 2 = 2.5, rounded to even.
    const rows = [0, 1, 2, 3].flatMap((y) => [...gray.data.subarray(9 * y + 2, 9 * y + 6)]);
    assert.deepEqual([...out], rows);
  });
});

describe('a shape that needs too much memory is refused; the same shape with a smaller target is not', () => {
  const gray = (width: number, height: number): Pixels => {
    return { width, height, channels: 1, data: new Uint8Array(width * height) };
  };
  const [tall, wide] = [gray(1, 65_535), gray(65_535, 1)];
  const large: ImageSpec['size'] = [1100, 1100];
  const rows: [string, Pixels, Partial<ImageSpec>][] = [
    ['Pillow 12, with the horizontal pass first', tall, { pillow: 12 }],
    ['TensorFlow, with the rows summed first', wide, { engine: 'tensorflow', resize: 'lanczos3' }],
    ['TensorFlow area, with the columns summed first', tall, { engine: 'tensorflow', resize: 'area' }],
  ];
  for (const [name, picture, change] of rows) {
    test(name, () => {
      const out = new Float32Array(1100 * 1100);
      const tooLarge = createPreprocessor({ ...SPEC, color: 'grayscale', size: large, ...change });
      assert.throws(() => tooLarge(picture, out), { kind: 'image_too_large' });
      const small = createPreprocessor({ ...SPEC, color: 'grayscale', size: [50, 50], ...change });
      small(picture, new Float32Array(50 * 50));
    });
  }

  test('a side above 65,535 pixels is refused', () => {
    const preprocess = createPreprocessor({ ...SPEC, color: 'grayscale', resize: 'nearest' });
    const message = /^An image of 1 x 65536 pixels is too long and thin to be resized; crop it\.$/;
    assert.throws(() => preprocess(gray(1, 65_536), new Float32Array(550)), { kind: 'image_too_large', message });
  });
});

describe('a spec that contradicts itself is refused when the preprocessor is made', () => {
  const rows: [Partial<ImageSpec>, RegExp][] = [
    [{ resize: 'area' }, /area is not one that engine pillow has: nearest, box, bilinear, hamming, bicubic, lanczos/],
    [{ engine: 'tensorflow', resize: 'hamming' }, /hamming is not one that engine tensorflow has/],
    [{ fit: { shorter: 40 } }, /shorter: 40 is less than the size 11 x 50/],
    [{ scale: 'caffe', color: 'grayscale' }, /caffe is for three channels/],
  ];
  for (const [change, message] of rows) {
    test(JSON.stringify(change), () => {
      assert.throws(() => createPreprocessor({ ...SPEC, ...change }), { name: 'RangeError', message });
    });
  }
});
