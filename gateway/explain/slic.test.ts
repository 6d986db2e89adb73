import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atOnce } from '../domain/steps.ts';
import { slic } from './slic.ts';
import { testPicture } from './test-picture.ts';

const { subject } = testPicture(() => 0);

/** The pixels of each region that hang together, by regions. */
function partsOf(labels: Uint16Array, width: number): Map<number, number> {
  const parts = new Map<number, number>();
  const seen = new Uint8Array(labels.length);
  for (let start = 0; start < labels.length; start += 1) {
    if (seen[start]) continue;
    const label = labels[start] as number;
    parts.set(label, (parts.get(label) ?? 0) + 1);
    const queue = [start];
    seen[start] = 1;
    for (let pixel = queue.pop(); pixel !== undefined; pixel = queue.pop()) {
      const x = pixel % width;
      for (const next of [x > 0 ? pixel - 1 : -1, x < width - 1 ? pixel + 1 : -1, pixel - width, pixel + width]) {
        if (next < 0 || next >= labels.length || seen[next] || labels[next] !== label) continue;
        seen[next] = 1;
        queue.push(next);
      }
    }
  }
  return parts;
}

test('regions are numbered without gaps, connected, and about as many as were asked for', () => {
  for (const wanted of [4, 16, 50]) {
    const labels = atOnce(slic(subject, wanted));
    const parts = partsOf(labels, 64);
    assert.deepEqual(
      [...parts.keys()].sort((a, b) => a - b),
      Array.from({ length: parts.size }, (_, index) => index),
    );
    assert.ok(
      [...parts.values()].every((count) => count === 1),
      `${wanted}: a region in several parts`,
    );
    assert.ok(parts.size >= wanted / 2 && parts.size <= 2 * wanted, `${wanted}: ${parts.size}`);
  }
});

test('borders of regions follow borders of colours', () => {
  const labels = atOnce(slic(subject, 16));
  const inside = new Set<number>();
  const outside = new Set<number>();
  for (let pixel = 0; pixel < labels.length; pixel += 1) {
    const [y, x] = [Math.floor(pixel / 64), pixel % 64];
    const isSquare = y >= 16 && y < 32 && x >= 16 && x < 32;
    (isSquare ? inside : outside).add(labels[pixel] as number);
  }
  assert.deepEqual(
    [...inside].filter((label) => outside.has(label)),
    [],
  );
});

test('a step is short: other requests take their turns between them', () => {
  const side = 299;
  const pixels = Float32Array.from({ length: side * side * 3 }, (_, index) => (index * 7919) % 256);
  const steps = slic({ height: side, width: side, channels: 3, pixels }, 48);
  let count = 0;
  while (!steps.next().done) count += 1;
  assert.ok(count > 50, `${count} steps`);
});

test('a gray picture and one of a single pixel have regions too', () => {
  const gray = Float32Array.from({ length: 32 * 32 }, (_, index) => (index % 32 < 16 ? 0 : 255));
  const labels = atOnce(slic({ height: 32, width: 32, channels: 1, pixels: gray }, 4));
  assert.ok(new Set(labels).size >= 2);
  assert.deepEqual([...atOnce(slic({ height: 1, width: 1, channels: 1, pixels: new Float32Array(1) }, 48))], [0]);
});
