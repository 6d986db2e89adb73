import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explanationText, type ShownExplanation } from './text.ts';

const EXPLANATION: ShownExplanation = {
  method: 'shapley',
  target: 'churn',
  baseline: '40 records',
  baseline_score: 0.2,
  score: 0.5,
  attributions: { tenure: -0.1, contract: 0.4 },
  standard_error: null,
  calls: 99,
  completeness: { holds: true },
};

test('the strongest features come first, between the score of the baseline and that of the record', () => {
  assert.equal(
    explanationText(EXPLANATION),
    `churn: 0.5000 by shapley, 99 calls of the model
baseline (40 records)  0.2000
contract               +0.4000  ████████████████████
tenure                 -0.1000  ▒▒▒▒▒
score                  0.5000`,
  );
});

test('parts of pictures are named by their place, few of many, and a sum that does not hold is said', () => {
  const regions = Array.from({ length: 17 }, (_, index) => ({
    attribution: 17 - index,
    box: [index, 0, index + 1, 9],
  }));
  const text = explanationText({
    ...EXPLANATION,
    attributions: { height: 17, regions },
    completeness: { holds: false },
  });
  assert.match(text, /^rows 0-1, columns 0-9 +\+17\.00 +█{20}$/m);
  assert.match(text, /^2 others +\+3\.000$/m);
  assert.match(text, /The parts do not add up within the tolerance\.$/);
  const grid = explanationText({ ...EXPLANATION, attributions: { height: 2, values: [[1, -2]] } });
  assert.match(grid, /^cell 1,2 +-2\.000 +▒{20}\ncell 1,1 /m);
});
