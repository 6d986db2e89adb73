import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addToBins, calibrationError, emptyBins, wilsonInterval } from './statistics.ts';

test("Wilson's interval is that of published tables, and stays within 0 and 1", () => {
  // Newcombe 1998 (Statistics in Medicine 17), table I, method 3.
  const published = [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const;
  for (const [successes, count, low, high] of published) {
    const [from, to] = wilsonInterval(successes, count);
    assert.ok(Math.abs(from - low) < 5e-5 && Math.abs(to - high) < 5e-5, `${successes}/${count}: ${from} to ${to}`);
  }
  assert.equal(wilsonInterval(7, 7)[1], 1);
});

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
