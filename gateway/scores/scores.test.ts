import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError, type Kind } from '../errors.ts';
import { softmax } from './activations.ts';
import { nameScores, requireScores, type ScoreOptions } from './scores.ts';

const output = (shape: number[], values: number[]) =>
  ({ dtype: 'DT_FLOAT', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) }) as const;
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

/** What a row of the given numbers is answered as. */
function named(numbers: number[], given: Partial<ScoreOptions>) {
  const [row] = nameScores(output([1, numbers.length], numbers), 1, { ...options, ...given });
  assert.ok(row && !(row instanceof Error));
  return Object.fromEntries(row);
}

const HALF = 0.5;
const pair = ['bee', 'wasp'];
for (const [what, numbers, gives, classes, raw, probabilities] of [
  [
    'logits',
    [1000, 1000, -1000],
    'logits',
    ['a', 'b', 'c'],
    { a: 1000, b: 1000, c: -1000 },
    { a: HALF, b: HALF, c: 0 },
  ],
  ['probabilities', [0.25, 0.5], 'probabilities', pair, { bee: 0.25, wasp: 0.5 }, { bee: 0.25, wasp: 0.5 }],
  ['independent logits', [0, 800], 'sigmoid-logits', pair, { bee: 0, wasp: 800 }, { bee: HALF, wasp: 1 }],
  ['one logit, one class', [0], 'logits', ['wasp'], { wasp: 0 }, { wasp: HALF }],
  ['one sigmoid logit, one class', [-800], 'sigmoid-logits', ['wasp'], { wasp: -800 }, { wasp: 0 }],
  ['one logit, two classes', [800], 'logits', pair, { bee: -800, wasp: 800 }, { bee: 0, wasp: 1 }],
  ['one sigmoid logit, two classes', [-800], 'sigmoid-logits', pair, { bee: 800, wasp: -800 }, { bee: 1, wasp: 0 }],
  ['one probability, two classes', [0.25], 'probabilities', pair, { bee: 0.75, wasp: 0.25 }, { bee: 0.75, wasp: 0.25 }],
] as const) {
  test(`A1 (09): ${what} as raw and as probabilities`, () => {
    assert.deepEqual(named([...numbers], { gives, classes }), raw);
    assert.deepEqual(named([...numbers], { gives, classes, wants: 'probabilities' }), probabilities);
  });
}

test('A1 (09): both classes of one neuron add up to one, and the better one comes first', () => {
  const { wasp = 0, bee = 0 } = named([-2.5], { classes: pair, wants: 'probabilities' });
  assert.ok(Math.abs(wasp - 0.07585818002124355) < 1e-15 && Math.abs(bee + wasp - 1) < 1e-15, `${bee} ${wasp}`);
  assert.deepEqual(named([-2.5], { classes: pair, top: 1 }), { bee: 2.5 });
});

test('A1 (09): values have no probabilities, and one value is not given to two names', () => {
  assert.deepEqual(named([3], { classes: ['price'], gives: 'values' }), { price: 3 });
  assert.throws(() => requireScores({ gives: 'values', wants: 'probabilities' }), isOf('invalid_request'));
  requireScores({ gives: 'values', wants: 'raw' });
  assert.throws(() => named([3], { classes: pair, gives: 'values' }), isOf('model_failed'));
});

test('softmax of small logits sums to one', () => {
  assert.ok(Math.abs(softmax([1, 2, 3]).reduce((sum, value) => sum + value) - 1) < 1e-15);
});

for (const [shape, classes] of [
  [[2], ['price']],
  [[2, 1], ['price']],
  [[2, 1, 1], ['price']],
  [[2, 2], pair],
  [[2, 2, 1, 1], pair],
  [[2, 1, 2], pair],
] as const) {
  test(`F26 (29): an output of [${shape}] has a row of ${classes.length} for each of two instances`, () => {
    const numbers = classes.length === 1 ? [1, 2] : [1, 2, 3, 4];
    const rows = nameScores(output([...shape], numbers), 2, { ...options, classes });
    const scores = rows.map((row) => (row instanceof Error ? assert.fail() : row.map(([, score]) => score)));
    assert.deepEqual(scores.flat(), numbers);
  });
}

test('B9: a row with a number that is not finite is an error of its instance alone', () => {
  const rows = nameScores(output([3, 3], [1, 2, Number.NaN, 4, 5, 6, Number.NEGATIVE_INFINITY, 8, 9]), 3, options);
  assert.deepEqual(
    rows.map((row) => (row instanceof GatewayError ? row.kind : row.length)),
    ['model_failed', 3, 'model_failed'],
  );
});

function isOf(kind: Kind) {
  return (error: unknown) => error instanceof GatewayError && error.kind === kind;
}

for (const [what, tensor, count] of [
  ['no such output', undefined, 1],
  ['fewer rows than instances', output([1, 3], [1, 2, 3]), 2],
  ['more classes than names', output([1, 4], [1, 2, 3, 4]), 1],
  ['no batch axis', output([3], [1, 2, 3]), 1],
  ['two axes of scores', output([1, 3, 2], [1, 2, 3, 4, 5, 6]), 1],
  ['one neuron for three classes', output([1, 1], [1]), 1],
  ['an empty tensor', output([0, 3], []), 1],
] as const) {
  test(`E8: ${what} is model_failed, never scores under the wrong class`, () => {
    assert.throws(() => nameScores(tensor, count, options), isOf('model_failed'));
  });
}
