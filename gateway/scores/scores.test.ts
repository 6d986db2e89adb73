import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../errors.ts';
import { nameScores, softmax } from './scores.ts';

const output = (shape: number[], values: number[]) =>
  ({ dtype: 'DT_FLOAT', shape, values: Float32Array.from(values) }) as const;
const options = { classes: ['a', 'b', 'c'], gives: 'logits', wants: 'raw' } as const;

test('every class gets its raw score, in the order of the model', () => {
  assert.deepEqual(nameScores(output([2, 3], [1, 2, 3, 4, 5, 6]), 2, options), [
    [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ],
    [
      ['a', 4],
      ['b', 5],
      ['c', 6],
    ],
  ]);
});

test('top keeps the best scores, best first; equal scores keep the order of the model', () => {
  assert.deepEqual(nameScores(output([1, 3], [1, 3, 3]), 1, { ...options, top: 2 }), [
    [
      ['b', 3],
      ['c', 3],
    ],
  ]);
});

test('probabilities are the softmax of logits, or what a model of probabilities gives', () => {
  const [asked = []] = nameScores(output([1, 3], [1000, 1000, -1000]), 1, { ...options, wants: 'probabilities' });
  assert.deepEqual(asked, [
    ['a', 0.5],
    ['b', 0.5],
    ['c', 0],
  ]);
  const given = { ...options, gives: 'probabilities', wants: 'probabilities' } as const;
  const [kept = []] = nameScores(output([1, 3], [0.25, 0.25, 0.5]), 1, given);
  assert.deepEqual(
    kept.map(([, score]) => score),
    [0.25, 0.25, 0.5],
  );
  assert.ok(Math.abs(softmax([1, 2, 3]).reduce((sum, value) => sum + value) - 1) < 1e-15);
});

for (const [what, tensor, count] of [
  ['no such output', undefined, 1],
  ['fewer rows than instances', output([1, 3], [1, 2, 3]), 2],
  ['more classes than names', output([1, 4], [1, 2, 3, 4]), 1],
  ['another rank', output([3], [1, 2, 3]), 1],
  ['an empty tensor', output([0, 3], []), 1],
  ['NaN', output([1, 3], [1, Number.NaN, 3]), 1],
  ['an infinite score', output([1, 3], [1, Number.POSITIVE_INFINITY, 3]), 1],
] as const) {
  test(`E8: ${what} is model_failed, never scores under the wrong class`, () => {
    assert.throws(
      () => nameScores(tensor, count, options),
      (error: unknown) => error instanceof GatewayError && error.kind === 'model_failed',
    );
  });
}
