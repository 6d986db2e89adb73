import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cmykToRgb, cmykToRgbTensorFlow, frameOnCanvas, rgbToGray, unpremultiply } from './samples.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

test('premultiplied colours are divided as in Pillow, whether libvips rounded up or down', () => {
  for (let alpha = 1; alpha <= 255; alpha++) {
    for (let stored = 0; stored <= alpha; stored++) {
      const exact = Math.floor((255 * stored) / alpha);
      const float = Math.trunc(Math.fround(stored * Math.fround(255 / alpha)));
      const low = Number.isInteger((255 * stored) / alpha) && alpha < 255 ? Math.max(0, exact - 1) : exact;
      for (const quotient of [exact, float, low]) {
        assert.equal(unpremultiply(bytes(quotient, 0, 0, alpha))[0], exact, `${stored} of ${alpha}, read ${quotient}`);
      }
    }
  }
});

test('full black ink is black, no ink is white', () => {
  assert.deepEqual([...cmykToRgb(bytes(0, 0, 0, 255, 0, 0, 0, 0))], [0, 0, 0, 255, 255, 255]);
  assert.deepEqual([...cmykToRgbTensorFlow(bytes(0, 0, 0, 255, 0, 0, 0, 0), true)], [0, 0, 0, 255, 255, 255]);
});

test('TensorFlow reads a CMYK file without the Adobe marker as light, not ink', () => {
  assert.deepEqual([...cmykToRgbTensorFlow(bytes(255, 100, 0, 255), false)], [255, 100, 0]);
});

test('gray does not change, colours are weighted', () => {
  for (let value = 0; value < 256; value++) assert.equal(rgbToGray(bytes(value, value, value))[0], value);
  assert.deepEqual([...rgbToGray(bytes(255, 0, 0, 0, 255, 0, 0, 0, 255))], [76, 150, 29]);
});

test('a frame that reaches beyond the canvas of the decoder is filled', () => {
  const canvas = { width: 3, height: 1, frame: { left: 1, top: 0, width: 2, height: 1 }, fill: [7, 8, 9] } as const;
  const rgba = bytes(1, 1, 1, 255, 2, 2, 2, 255, 3, 3, 3, 0);
  assert.deepEqual([...frameOnCanvas(rgba, 3, canvas)], [7, 8, 9, 2, 2, 2, 7, 8, 9]);
  assert.deepEqual([...frameOnCanvas(rgba.subarray(0, 8), 2, canvas)], [7, 8, 9, 2, 2, 2, 7, 8, 9]);
});
