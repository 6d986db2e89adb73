import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Explanation } from '../domain/explanation.ts';
import { explanationMembers } from './members.ts';

const HEAD = { method: 'shapley', target: 'y', baseline: 'blur', baselineScore: 1, score: 4, calls: 9 } as const;
const picture = { height: 2, width: 3, channels: 1, data: new Uint8Array(6) } as const;

test('features are by their names, whatever those are, with the check of completeness', () => {
  const explanation: Explanation = {
    ...HEAD,
    tolerance: 0.5,
    attributions: {
      kind: 'features',
      names: ['age', '__proto__'],
      values: Float64Array.of(2, 0.75),
      errors: Float64Array.of(0.1, 0.2),
    },
  };
  assert.equal(
    JSON.stringify(explanationMembers(explanation)),
    '{"method":"shapley","target":"y","baseline":"blur","baseline_score":1,"score":4,' +
      '"attributions":{"age":2,"__proto__":0.75},"standard_error":{"age":0.1,"__proto__":0.2},"calls":9,' +
      '"completeness":{"sum":2.75,"difference":3,"tolerance":0.5,"holds":true}}',
  );
  const { completeness } = explanationMembers({ ...explanation, tolerance: 0.2 });
  assert.equal(completeness.holds, false);
});

test('regions have their pixels, boxes and runs', () => {
  const labels = Uint16Array.of(0, 0, 1, 0, 1, 1);
  const { attributions, standard_error } = explanationMembers({
    ...HEAD,
    picture,
    tolerance: 0,
    attributions: { kind: 'regions', labels, values: Float64Array.of(2, 1) },
  });
  assert.deepEqual(attributions, {
    height: 2,
    width: 3,
    regions: [
      { attribution: 2, pixels: 3, box: [0, 0, 2, 2] },
      { attribution: 1, pixels: 3, box: [0, 1, 2, 3] },
    ],
    labels: [0, 2, 1, 1, 0, 1, 1, 2],
  });
  assert.equal(standard_error, null);
});

test('a fine grid is summed into cells where attributions add up, and averaged elsewhere', () => {
  const values = Float64Array.from({ length: 9 }, (_, index) => index);
  const attributions = { kind: 'grid', rows: 3, columns: 3, values } as const;
  const sums = explanationMembers({ ...HEAD, picture, tolerance: 1, attributions }, 2);
  assert.deepEqual(sums.attributions, {
    height: 2,
    width: 3,
    rows: 2,
    columns: 2,
    values: [
      [8, 7],
      [13, 8],
    ],
  });
  const means = explanationMembers({ ...HEAD, picture, tolerance: null, attributions }, 2);
  assert.deepEqual(means.attributions, {
    height: 2,
    width: 3,
    rows: 2,
    columns: 2,
    values: [
      [2, 3.5],
      [6.5, 8],
    ],
  });
  assert.deepEqual(means.completeness, { sum: 36, difference: 3, tolerance: null, holds: null });
});
