import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../errors.ts';
import { occlusion } from './occlusion.ts';
import type { ExplainOptions } from './options.ts';
import { squareScore, testPicture } from './test-picture.ts';

const OPTIONS: ExplainOptions = { method: 'occlusion', format: 'json', place: 'query ' };

test('the cells over what the model looks at have the largest attributions', async () => {
  const { subject, meter } = testPicture(squareScore);
  const { attributions, score, baselineScore, tolerance } = await occlusion.explain(
    subject,
    { ...OPTIONS, baseline: 'black', window: 8, stride: 8 },
    meter,
  );
  assert.ok(attributions.kind === 'grid');
  const { rows, columns, values } = attributions;
  assert.deepEqual([rows, columns, score, baselineScore, tolerance], [8, 8, 220, 0, null]);
  for (const [cell, value] of values.entries()) {
    const [row, column] = [Math.floor(cell / 8), cell % 8];
    const isSquare = row >= 2 && row < 4 && column >= 2 && column < 4;
    assert.ok(Math.abs(value - (isSquare ? 55 : 0)) < 1e-3, `cell ${row},${column}: ${value}`);
  }
});

test('every baseline replaces the pixels; blur and mean keep the mean colour', async () => {
  for (const [baseline, least, most] of [
    ['black', 0, 0],
    ['white', 255, 255],
    ['mean', 41, 43],
    ['blur', 42, 200],
  ] as const) {
    const { subject, meter } = testPicture(squareScore);
    const { baselineScore } = await occlusion.explain(subject, { ...OPTIONS, baseline }, meter);
    assert.ok(baselineScore >= least && baselineScore <= most, `${baseline}: ${baselineScore}`);
  }
});

test('the grid is as fine as the budget allows; a stride that needs more is refused', async () => {
  const { subject, meter } = testPicture(squareScore, 20);
  const { attributions } = await occlusion.explain(subject, OPTIONS, meter);
  assert.ok(attributions.kind === 'grid' && attributions.values.length <= 18 && attributions.values.length >= 9);
  assert.ok(meter.used <= 20);
  await assert.rejects(
    occlusion.explain(subject, { ...OPTIONS, stride: 8 }, testPicture(squareScore, 20).meter),
    (error) =>
      error instanceof GatewayError &&
      error.message === 'query explain.stride: 8 needs 66 calls of the model; 20 are allowed: take a larger one',
  );
});
