import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowText, type TextOptions } from './text.ts';

const OPTIONS: TextOptions = {
  classes: new Set(['hat', 'shoes', 'outerwear']),
  top: 2,
  areProbabilities: true,
  style: (_format, text) => text,
};

test('probabilities are sorted percents, each with a bar from 0 to 1', () => {
  const row = { index: 0, input: 'a.jpg', prediction: { hat: 0.25, shoes: 0.75, outerwear: 0 } };
  assert.equal(
    rowText(row, OPTIONS),
    `a.jpg\n  shoes        75.0 %  ${'█'.repeat(18)}\n  hat          25.0 %  ${'█'.repeat(6)}`,
  );
  const small = { index: 0, input: 'a.jpg', prediction: { hat: 0.03, shoes: 0.02 } };
  assert.equal(rowText(small, OPTIONS), 'a.jpg\n  hat           3.0 %  ▊\n  shoes         2.0 %  ▌');
});

test('raw scores have bars from the lowest to the highest', () => {
  const row = { index: 0, input: 'a.jpg', prediction: { hat: -2, shoes: 4, outerwear: 1 } };
  const text = rowText(row, { ...OPTIONS, areProbabilities: false, top: 3 });
  assert.equal(
    text,
    `a.jpg\n  shoes         4.000  ${'█'.repeat(24)}\n  outerwear     1.000  ${'█'.repeat(12)}\n  hat          -2.000`,
  );
});

test('outputs of a record are shown by name, and an error by its kind', () => {
  const prediction = { churn_probability: 0.36, churn: false };
  const options = { ...OPTIONS, classes: new Set<string>() };
  assert.equal(
    rowText({ index: 0, input: 'r', prediction }, options),
    'r\n  churn_probability  0.36\n  churn              false',
  );
  const error = { kind: 'invalid_request', detail: 'tenure: is missing' };
  assert.equal(rowText({ index: 0, input: 'r', error }, options), 'r\n  invalid_request: tenure: is missing');
});

test('the name, the best class and the kind of an error are marked', () => {
  const style: TextOptions['style'] = (format, text) => `<${format}>${text}</>`;
  const marked = { ...OPTIONS, style, top: 1 };
  const row = { index: 0, input: 'a.jpg', prediction: { hat: 1 } };
  assert.equal(rowText(row, marked), `<bold>a.jpg</>\n  <bold>hat         100.0 %</>  <cyan>${'█'.repeat(24)}</>`);
  const error = { kind: 'timeout', detail: 'slow' };
  assert.equal(rowText({ index: 0, input: 'r', error }, marked), '<bold>r</>\n  <red>timeout</>: slow');
});
