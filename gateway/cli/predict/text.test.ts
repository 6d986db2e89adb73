import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowText } from './text.ts';

test('scores are sorted, and each has a bar', () => {
  const row = { index: 0, input: 'a.jpg', prediction: { hat: 0.25, shoes: 0.75, shirt: 0 } };
  const text = rowText(row, new Set(['hat', 'shoes', 'shirt']), 2);
  assert.equal(text, `a.jpg\n  shoes     0.750  ${'█'.repeat(18)}\n  hat       0.250  ${'█'.repeat(6)}`);
});

test('outputs of a record are shown by name, and an error by its kind', () => {
  const prediction = { churn_probability: 0.36, churn: false };
  assert.equal(
    rowText({ index: 0, input: 'r', prediction }, new Set(), 5),
    'r\n  churn_probability  0.36\n  churn              false',
  );
  const error = { kind: 'invalid_request', detail: 'tenure: is missing' };
  assert.equal(rowText({ index: 0, input: 'r', error }, new Set(), 5), 'r\n  invalid_request: tenure: is missing');
});
