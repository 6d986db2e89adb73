import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atOnce } from '../../domain/steps.ts';
import { felzenszwalb } from './felzenszwalb.ts';

const WIDTH = 30;
const HEIGHT = 20;

/** A field by the value of each pixel. */
function field(value: (row: number, column: number) => number) {
  const values = Float32Array.from({ length: HEIGHT * WIDTH }, (_, pixel) =>
    value(Math.floor(pixel / WIDTH), pixel % WIDTH),
  );
  return { values, height: HEIGHT, width: WIDTH, channels: 1 };
}

const segments = (labels: Uint32Array) => new Set(labels).size;

test('two flat halves are two segments', () => {
  const [labels = new Uint32Array()] = atOnce(
    felzenszwalb(
      field((_, column) => (column < 12 ? 0 : 1)),
      [1],
      1,
    ),
  );
  assert.deepEqual(
    labels,
    Uint32Array.from({ length: HEIGHT * WIDTH }, (_, pixel) => (pixel % WIDTH < 12 ? 0 : 1)),
  );
});

test('a ramp is one segment, because neighbours differ little', () => {
  const [labels = new Uint32Array()] = atOnce(
    felzenszwalb(
      field((row) => row / 20),
      [10],
      1,
    ),
  );
  assert.equal(segments(labels), 1);
});

test('a larger scale gives fewer segments', () => {
  const noise = field((row, column) => Math.abs(Math.sin(12.9898 * row + 78.233 * column) * 43758.5453) % 1);
  const counts = atOnce(felzenszwalb(noise, [0.2, 1, 5, 25], 1)).map(segments);
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => b - a),
  );
  assert.ok((counts[0] as number) > 2 * (counts[3] as number), String(counts));
});

test('no segment is smaller than the least', () => {
  const dots = field((row, column) => ((row * 7 + column * 3) % 11 === 0 ? 1 : 0));
  const [labels = new Uint32Array()] = atOnce(felzenszwalb(dots, [0.01], 25));
  const counts = [...Map.groupBy(labels, (label) => label).values()].map((pixels) => pixels.length);
  assert.ok(Math.min(...counts) >= 25, String(counts));
});
