import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../errors.ts';
import type { ExplainOptions } from './options.ts';
import { shapley } from './shapley.ts';
import { squareScore, testPicture } from './test-picture.ts';

const OPTIONS: ExplainOptions = { method: 'shapley', format: 'json', place: 'query ', baseline: 'black', regions: 16 };

test('the superpixels of what the model looks at have the whole difference', async () => {
  const { subject, meter } = testPicture(squareScore);
  const { attributions, score, baselineScore } = await shapley.explain(subject, OPTIONS, meter);
  assert.ok(attributions.kind === 'regions');
  const { labels, values, errors } = attributions;
  assert.deepEqual([score, baselineScore], [220, 0]);
  assert.ok(Math.abs(values.reduce((sum, value) => sum + value, 0) - 220) < 1e-6);
  // The score is a sum over pixels: each permutation gives the same.
  assert.ok(errors?.every((error) => error < 1e-6));
  const inSquare = new Set<number>();
  for (let y = 16; y < 32; y += 1) for (let x = 16; x < 32; x += 1) inSquare.add(labels[y * 64 + x] as number);
  for (const [region, value] of values.entries()) assert.equal(value > 1e-6, inSquare.has(region), `region ${region}`);
});

test('a budget that is too small for one pair is refused with the calls that it needs', async () => {
  const { subject, meter } = testPicture(squareScore, 10);
  await assert.rejects(
    shapley.explain(subject, { ...OPTIONS, budget: 10 }, meter),
    (error) =>
      error instanceof GatewayError &&
      /^query explain\.budget: shapley needs at least \d+ calls of the model here; it allows 10 for each instance$/.test(
        error.message,
      ),
  );
});
