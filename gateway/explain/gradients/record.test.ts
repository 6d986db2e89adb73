import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numbersOf } from '../../domain/elements.ts';
import type { Signature, Tensor } from '../../domain/tensor.ts';
import type { Budget, RecordSubject } from '../method.ts';
import type { ExplainOptions } from '../options.ts';
import { integratedGradients } from './integrated-gradients.ts';

const info = (name: string, dtype: string, ...shape: number[]) => ({ name, dtype, shape: [-1, ...shape] });
const SIGNATURE: Signature = {
  inputs: [
    info('age', 'DT_FLOAT'),
    info('baseline_age', 'DT_FLOAT'),
    info('sizes', 'DT_FLOAT', 2),
    info('baseline_sizes', 'DT_FLOAT', 2),
    info('target', 'DT_INT64'),
    info('steps', 'DT_INT64'),
    info('quadrature', 'DT_STRING'),
  ],
  outputs: ['attributions_age', 'attributions_sizes', 'score_y', 'baseline_score_y'].map((name) =>
    info(name, 'DT_FLOAT'),
  ),
};

function tensor(shape: readonly number[], ...values: number[]): Tensor {
  return { dtype: 'DT_FLOAT', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

/** The score is age + 10 * sizes[0] + 100 * sizes[1]. */
function subject(background: number): RecordSubject {
  const ages = Array.from({ length: background }, (_, row) => row);
  return {
    kind: 'record',
    target: { name: 'y', output: 'y', element: 0, sign: 1, offset: 0 },
    signatures: new Map([['explain', SIGNATURE]]),
    names: ['age', 'sizes[0]', 'sizes[1]'],
    own: new Map([
      ['age', tensor([1], 7)],
      ['sizes', tensor([1, 2], 3, 4)],
    ]),
    background: {
      size: background,
      about: `${background} records`,
      inputs: new Map([
        ['age', tensor([background], ...ages)],
        ['sizes', tensor([background, 2], ...ages.flatMap(() => [1, 2]))],
      ]),
    },
    ask: async (_, inputs) => {
      const of = (name: string) => Array.from(numbersOf(inputs.get(name) as Tensor));
      const moved = (name: string) => of(name).map((value, at) => value - (of(`baseline_${name}`)[at] as number));
      const rows = of('steps').length;
      const score = (start: string) =>
        of(`${start}age`).map(
          (age, row) =>
            age + 10 * (of(`${start}sizes`)[2 * row] as number) + 100 * (of(`${start}sizes`)[2 * row + 1] as number),
        );
      return new Map([
        ['attributions_age', tensor([rows], ...moved('age'))],
        ['attributions_sizes', tensor([rows, 2], ...moved('sizes').map((value, at) => value * (at % 2 ? 100 : 10)))],
        ['score_y', tensor([rows], ...score(''))],
        ['baseline_score_y', tensor([rows], ...score('baseline_'))],
      ]);
    },
    scores: () => assert.fail('gradients need no scores'),
  };
}

const OPTIONS: ExplainOptions = { method: 'integrated-gradients', format: 'json', place: '' };
const budget = (calls: number): Budget => ({ calls, hasRoom: (more) => more <= calls });

test('the mean over the records of the background', async () => {
  const found = await integratedGradients.explain(subject(5), OPTIONS, budget(1000));
  assert.ok(found.attributions.kind === 'features');
  assert.deepEqual(
    [...found.attributions.values].map((value) => Math.round(1e9 * value) / 1e9),
    [7 - 2, 10 * 2, 100 * 2],
  );
  assert.deepEqual([found.score, found.baselineScore, found.baseline], [437, 212, '5 records']);
});

test('as many records of the background as the budget allows', async () => {
  const found = await integratedGradients.explain(subject(5), { ...OPTIONS, steps: 8 }, budget(25));
  assert.ok(found.attributions.kind === 'features');
  assert.equal(found.attributions.values[0], 7 - 0.5);
});
