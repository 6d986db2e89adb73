import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addToBins, calibrationError, emptyBins } from './statistics.ts';

test('the calibration error is the mean distance of score and accuracy, weighted by the bins', () => {
  const bins = emptyBins();
  assert.equal(calibrationError(bins), undefined);
  for (let index = 0; index < 10; index += 1) addToBins(bins, 0.95, index < 8); // 0.15 off
  for (let index = 0; index < 30; index += 1) addToBins(bins, 0.5, index < 15); // right
  addToBins(bins, 1, true);
  assert.equal(bins.at(-1)?.count, 11);
  assert.equal(bins[5]?.count, 30);
  // Scores 10.5, right 9, of 41.
  assert.ok(Math.abs((calibrationError(bins) ?? 0) - 1.5 / 41) < 1e-12);
});
