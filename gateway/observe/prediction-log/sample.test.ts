import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInSample } from './sample.ts';

const IDS = Array.from({ length: 20_000 }, (_, index) => `request-${index}`);
const sampled = (share: number) => IDS.filter((id) => isInSample(id, share));

test('about the share of requests is in the sample, and a larger share has all of a smaller one', () => {
  for (const share of [0.01, 0.1, 0.5]) {
    const deviation = Math.sqrt(IDS.length * share * (1 - share));
    assert.ok(Math.abs(sampled(share).length - IDS.length * share) < 4 * deviation, String(share));
  }
  assert.ok(new Set(sampled(0.01)).isSubsetOf(new Set(sampled(0.1))));
  assert.deepEqual(sampled(1), IDS);
});
