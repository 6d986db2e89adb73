import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ELEMENTS } from '../domain/elements.ts';
import type { ImageSpec, NamedScale, Scale } from '../domain/picture.ts';
import type { PixelType } from '../domain/tensor.ts';
import { createConverter } from './converter.ts';
import { createMeasure } from './statistics.ts';
import { testSpec } from './test-spec.ts';

const measure = createMeasure();

/** A picture of the model's size from the value of each pixel and channel, as a row of a tensor. */
function rowOf(spec: ImageSpec, type: PixelType, valueAt: (x: number, y: number, channel: number) => number) {
  const [height, width] = spec.size;
  const channels = spec.color === 'rgb' ? 3 : 1;
  const data = Uint8Array.from({ length: height * width * channels }, (_, index) => {
    const pixel = Math.floor(index / channels);
    return valueAt(pixel % width, Math.floor(pixel / width), index % channels);
  });
  const row = new ELEMENTS[type](data.length);
  createConverter(spec).pixels({ width, height, channels, data }, row);
  return row;
}

test('an even picture has a brightness only; one that is half black has a contrast', () => {
  const spec = testSpec({ size: [64, 64] });
  const even = rowOf(spec, 'DT_FLOAT', () => 77);
  assert.deepEqual(measure(even, 'DT_FLOAT', spec), { brightness: 77, contrast: 0, sharpness: 0 });
  const half = rowOf(spec, 'DT_FLOAT', (x) => (x < 32 ? 0 : 200));
  const { brightness, contrast } = measure(half, 'DT_FLOAT', spec);
  assert.deepEqual([brightness, contrast], [100, 100]);
});

test('a pattern of single pixels is as sharp as can be', () => {
  const spec = testSpec({ size: [96, 96], scale: 'none' });
  const row = rowOf(spec, 'DT_UINT8', (x, y) => ((x + y) % 2) * 255);
  // Each point differs by 255 from its four neighbours.
  assert.equal(measure(row, 'DT_UINT8', spec).sharpness, 4 * 255);
});

const SCALES: readonly Scale[] = [
  ...(['tf', 'mul127', 'div255', 'mul255', 'torch', 'caffe', 'none'] satisfies NamedScale[]),
  { divide: 1, mean: [120, 110, 100], std: [60, 50, 40] },
];

test('every scale, layout and dtype gives the statistics of the bytes', () => {
  const bytes = (x: number, y: number, channel: number) => (37 * x + 91 * y + 53 * channel * (x % 7)) % 256;
  const plain = testSpec({ size: [50, 40], scale: 'none' });
  const expected = measure(rowOf(plain, 'DT_UINT8', bytes), 'DT_UINT8', plain);
  assert.ok(expected.contrast > 20 && expected.sharpness > 20);
  for (const scale of SCALES) {
    for (const layout of ['NHWC', 'NCHW'] as const) {
      const spec: ImageSpec = { ...plain, scale, layout };
      for (const type of ['DT_FLOAT', 'DT_HALF', 'DT_BFLOAT16'] as const) {
        const row = rowOf(spec, type, bytes);
        assert.deepEqual(measure(row, type, spec), expected, `${JSON.stringify(scale)} ${layout} ${type}`);
      }
    }
  }
});

test('a gray picture has the statistics of the colour picture with three equal channels', () => {
  const bytes = (x: number, y: number) => (37 * x + 91 * y) % 256;
  const color = testSpec({ size: [20, 33], scale: 'div255' });
  const gray: ImageSpec = { ...color, color: 'grayscale' };
  assert.deepEqual(
    measure(rowOf(gray, 'DT_FLOAT', bytes), 'DT_FLOAT', gray),
    measure(rowOf(color, 'DT_FLOAT', bytes), 'DT_FLOAT', color),
  );
});

test('samples that a resize gave above 255 or below 0 count as 255 and 0', () => {
  const spec = testSpec({ size: [4, 4], scale: 'none' });
  const row = Float32Array.from({ length: 48 }, (_, index) => (index < 24 ? -20 : 270));
  assert.equal(measure(row, 'DT_FLOAT', spec).brightness, 127.5);
});
