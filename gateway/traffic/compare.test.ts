import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Meaning } from '../domain/meaning.ts';
import { atOnce } from '../domain/steps.ts';
import type { Tensor } from '../domain/tensor.ts';
import { compareRows, type Said } from './compare.ts';

const floats = (shape: readonly number[], numbers: readonly number[]): Tensor => ({
  dtype: 'DT_FLOAT',
  shape,
  bytes: new Uint8Array(Float32Array.from(numbers).buffer),
});
const LOGITS: Meaning = { scores: { output: 'y', classes: ['a', 'b', 'c'], gives: 'logits' } };
const said = (output: Tensor | undefined, meaning = LOGITS): Said => ({ output, meaning });
const compared = (one: Said, other: Said, rows: number) =>
  atOnce(compareRows(one, other, rows)).map(
    (row) => row && { isSame: row.isSame, distance: row.distance && Math.round(1e6 * row.distance) / 1e6 },
  );
const ln = Math.log;

test('rows are compared by their best class and the L1 distance of their probabilities', () => {
  // Probabilities 0.5, 0.3, 0.2 against 0.2, 0.5, 0.3, whatever is added to the logits.
  const one = said(floats([2, 3], [ln(5), ln(3), ln(2), 1, 0, 0]));
  const other = said(floats([2, 3], [ln(2) + 7, ln(5) + 7, ln(3) + 7, 1, 0, 0]));
  assert.deepEqual(compared(one, other, 2), [
    { isSame: false, distance: 0.6 },
    { isSame: true, distance: 0 },
  ]);
});

test('a version may name its output otherwise, and give probabilities', () => {
  const one = said(floats([1, 3], [ln(5), ln(3), ln(2)]));
  const gives: Meaning = { scores: { output: 'other', classes: ['a', 'b', 'c'], gives: 'probabilities' } };
  const other = said(floats([1, 3], [0.6, 0.2, 0.2]), gives);
  assert.deepEqual(compared(one, other, 1), [{ isSame: true, distance: 0.2 }]);
});

test('a decision is compared by its side of the threshold', () => {
  const decision: Meaning = { decision: { output: 'p', threshold: 0.5, name: 'churn' } };
  const one = said(floats([3], [0.4, 0.6, 7]), decision);
  const other = said(floats([3, 1], [0.6, 0.9, -1]), decision);
  assert.deepEqual(compared(one, other, 3), [
    { isSame: false, distance: 0.4 },
    { isSame: true, distance: 0.6 },
    { isSame: false, distance: undefined },
  ]);
});

test('a row without finite numbers on one side is not the same, and on both sides it is no row', () => {
  const one = said(floats([3, 3], [1, 0, 0, Number.NaN, 0, 0, Number.NaN, 0, 0]));
  const other = said(floats([3, 3], [Number.POSITIVE_INFINITY, 0, 0, 1, 0, 0, Number.NaN, 0, 0]));
  const different = { isSame: false, distance: undefined };
  assert.deepEqual(compared(one, other, 3), [different, different, undefined]);
});

test('there is nothing to compare without classes or the output, and an output of another shape is a fault', () => {
  const scores = said(floats([1, 3], [1, 0, 0]));
  assert.deepEqual(compared(said(undefined), scores, 1), []);
  assert.deepEqual(compared(said(floats([1, 3], [1, 0, 0]), {}), scores, 1), []);
  const values: Meaning = { scores: { output: 'y', classes: ['price'], gives: 'values' } };
  assert.deepEqual(compared(said(floats([1, 1], [1]), values), said(floats([1, 1], [1]), values), 1), []);
  for (const other of [undefined, floats([1, 2], [1, 0]), floats([2, 3], [1, 0, 0, 1, 0, 0])]) {
    assert.throws(() => compared(scores, said(other), 1), { kind: 'model_failed' });
  }
});

test('many rows are compared in steps', () => {
  const rows = 1000;
  const output = floats(
    [rows, 3],
    Array.from({ length: 3 * rows }, (_, index) => index % 7),
  );
  let steps = 0;
  const work = compareRows(said(output), said(output), rows);
  for (let next = work.next(); ; next = work.next()) {
    if (next.done) {
      assert.ok(next.value.every((row) => row?.isSame && row.distance === 0));
      break;
    }
    steps += 1;
  }
  assert.ok(steps >= 7);
});
