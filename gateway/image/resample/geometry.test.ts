import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Fit } from '../../domain/picture.ts';
import { geometryOf, roundHalfToEven } from './geometry.ts';

/** Box start, box size, resized length and window start of each axis. */
function numbers(
  width: number,
  height: number,
  size: [number, number],
  fit: Fit,
  engine: 'pillow' | 'tensorflow' = 'pillow',
) {
  const { x, y } = geometryOf({ width, height }, { size, fit, engine });
  return [x, y].map((axis) => [axis.boxStart, axis.boxSize, axis.resized, axis.windowStart]);
}

describe('geometry', () => {
  test('stretch resizes the whole picture', () => {
    assert.deepEqual(numbers(400, 533, [299, 200], 'stretch'), [
      [0, 400, 200, 0],
      [0, 533, 299, 0],
    ]);
  });

  test('crop resizes the largest centred box of the target shape', () => {
    assert.deepEqual(numbers(400, 533, [100, 200], 'crop'), [
      [0, 400, 200, 0],
      [166, 200, 100, 0],
    ]);
    assert.deepEqual(numbers(1, 500, [10, 30], 'crop')[1], [250, 0, 10, 0]);
    assert.deepEqual(numbers(1, 500, [10, 30], 'crop', 'tensorflow')[1], [249, 1, 10, 0]);
  });

  test('shorter resizes the whole picture and keeps a centred window', () => {
    assert.deepEqual(numbers(400, 533, [224, 224], { shorter: 256 }), [
      [0, 400, 256, 16],
      [0, 533, 341, 58],
    ]);
    assert.deepEqual(numbers(300, 7, [224, 224], { shorter: 256 })[0], [0, 300, 10971, 5374]);
  });

  test('half rounds to even', () => {
    assert.deepEqual([0.5, 1.5, 2.5, 58.5, 2.4, 2.6].map(roundHalfToEven), [0, 2, 2, 58, 2, 3]);
  });
});
