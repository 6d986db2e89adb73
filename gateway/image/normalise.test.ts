import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ImageSpec, Resized } from '../domain/picture.ts';
import { createNormaliser, createTables } from './normalise.ts';
import { testSpec } from './test-spec.ts';

const SPEC = testSpec({ size: [1, 2], scale: 'none' });

/** Two pixels in a row: 10, 20, 30 and 40, 50, 60. */
const TWO: Resized = { width: 2, height: 1, channels: 3, data: Uint8Array.of(10, 20, 30, 40, 50, 60) };

function normalised(change: Partial<ImageSpec>, picture = TWO): number[] {
  const out = new Float32Array(6);
  createNormaliser({ ...SPEC, ...change })(picture, out);
  return [...out];
}

describe('layout', () => {
  test('NHWC keeps the order of the samples', () => assert.deepEqual(normalised({}), [10, 20, 30, 40, 50, 60]));
  test('NCHW writes one plane for each channel', () =>
    assert.deepEqual(normalised({ layout: 'NCHW' }), [10, 40, 20, 50, 30, 60]));

  test('caffe writes blue first in both layouts', () => {
    const f = Math.fround;
    const [red, green, blue] = [f(123.68), f(116.779), f(103.939)];
    const first = [f(30 - blue), f(20 - green), f(10 - red)];
    const second = [f(60 - blue), f(50 - green), f(40 - red)];
    assert.deepEqual(normalised({ scale: 'caffe' }), [...first, ...second]);
    const planes = first.flatMap((value, i) => [value, second[i] as number]);
    assert.deepEqual(normalised({ scale: 'caffe', layout: 'NCHW' }), planes);
  });

  test('a uint8 tensor gets the samples as they are', () => {
    const out = new Uint8Array(6);
    createNormaliser(SPEC)(TWO, out);
    assert.deepEqual([...out], [...TWO.data]);
  });

  test('every pair of samples is scaled right at any alignment of the tensor', () => {
    const data = new Uint8Array(new Uint16Array(2 ** 16).map((_, pair) => pair).buffer);
    const picture: Resized = { width: 512, height: 256, channels: 1, data };
    for (const scale of ['tf', 'mul127', 'div255', 'mul255', 'none'] as const) {
      const normalise = createNormaliser({ ...SPEC, size: [256, 512], color: 'grayscale', scale });
      const [table] = createTables(scale);
      for (const offset of [0, 1]) {
        const out = new Float32Array(data.length + offset).subarray(offset);
        normalise(picture, out);
        assert.ok(
          out.every((value, i) => Object.is(value, table[data[i] as number])),
          `${scale} at ${offset}`,
        );
      }
    }
  });

  test('a picture of one channel is written', () => {
    const gray: Resized = { width: 2, height: 2, channels: 1, data: Uint8Array.of(1, 2, 3, 4) };
    const out = new Float32Array(4);
    createNormaliser({ ...SPEC, size: [2, 2], color: 'grayscale' })(gray, out);
    assert.deepEqual([...out], [1, 2, 3, 4]);
  });
});

describe('scales', () => {
  test('0 and 255 become the ends of the range', () => {
    const ends = (scale: ImageSpec['scale']) => createTables(scale).map((table) => [table[0], table[255]]);
    assert.deepEqual(ends('tf')[0], [-1, 1]);
    assert.deepEqual(ends('mul127')[0], [-1, 1]);
    assert.deepEqual(ends('div255')[2], [0, 1]);
    assert.deepEqual(ends('none')[1], [0, 255]);
  });

  test('div255 and mul255 differ in 126 of 256 values', () => {
    const [[divided], [multiplied]] = [createTables('div255'), createTables('mul255')];
    const others = divided.filter((value, byte) => value !== multiplied[byte]);
    assert.equal(others.length, 126);
  });

  test('16-bit and float32 samples go through the same steps as bytes', () => {
    const data = Uint16Array.of(65535, 0, 0, 255, 0, 0);
    assert.deepEqual(normalised({ scale: 'div255' }, { ...TWO, data }), [257, 0, 0, 1, 0, 0]);
    const between = { ...TWO, data: Float32Array.of(127.5, 0, 255, 0, 0, 0) };
    assert.deepEqual(normalised({ scale: 'tf' }, between), [0, -1, 1, -1, -1, -1]);
  });

  test('a scale of three channels is refused with color grayscale', () => {
    assert.throws(() => createNormaliser({ ...SPEC, color: 'grayscale', scale: 'caffe' }), RangeError);
    assert.throws(() => createNormaliser({ ...SPEC, color: 'grayscale', scale: 'torch' }), RangeError);
  });
});
