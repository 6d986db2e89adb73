import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createRandom } from '../domain/random.ts';
import { type Game, leastCalls, samplePermutations } from './permutations.ts';

/** What shap 0.51.0 computes for this model: exactly, and by permutations. */
const shap = JSON.parse(await readFile(new URL('test-shap.json', import.meta.url), 'utf8')) as {
  readonly background: Rows;
  readonly records: Rows;
  readonly exact: Rows;
  readonly permutation: Rows;
};

const FEATURES = 10;
const RECORDS = 50;
const BACKGROUND = 20;

/** A model with products, steps and a maximum, of two features and of more: pairs of permutations are exact for two. */
function model(x: readonly number[]): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0, j = 0] = x;
  const pairs = 2 * a - b + 3 * c * d + (g > 0.5 ? 1.5 * h : -i);
  return pairs + Math.max(e, f, j) + 4 * a * d * f * h + Math.sin(3 * j) * a * c;
}

type Rows = readonly (readonly number[])[];

function rowsOf(count: number, random: () => number): Rows {
  return Array.from({ length: count }, () => Array.from({ length: FEATURES }, random));
}

function gameOf(record: readonly number[], background: Rows, onCall = (_rows: number) => {}): Game {
  return {
    players: FEATURES,
    backgrounds: background.length,
    async scores(count, from, has) {
      onCall(count);
      return Float64Array.from({ length: count }, (_, index) =>
        model(record.map((own, player) => (has(index, player) ? own : (background[from(index)]?.[player] ?? 0)))),
      );
    },
  };
}

/** By all coalitions: the definition. */
function exactShapley(record: readonly number[], background: Rows): number[] {
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  const values = Float64Array.from({ length: 2 ** FEATURES }, (_, coalition) => {
    const scores = background.map((other) =>
      model(record.map((own, player) => (((coalition >> player) & 1) === 1 ? own : (other[player] ?? 0)))),
    );
    return scores.reduce((sum, score) => sum + score, 0) / background.length;
  });
  const size = (coalition: number) => coalition.toString(2).replaceAll('0', '').length;
  return Array.from({ length: FEATURES }, (_, player) => {
    let sum = 0;
    for (let coalition = 0; coalition < values.length; coalition += 1) {
      if (((coalition >> player) & 1) === 1) continue;
      const members = size(coalition);
      const weight = (factorial(members) * factorial(FEATURES - members - 1)) / factorial(FEATURES);
      sum += weight * ((values[coalition | (1 << player)] ?? 0) - (values[coalition] ?? 0));
    }
    return sum;
  });
}

const unbounded = { seed: 0, pairs: Number.POSITIVE_INFINITY, error: 0, hasRoom: () => true };

test('the exact values are within three standard errors for 99 % of the attributions of 50 records', async (t) => {
  const random = createRandom(1);
  const background = rowsOf(BACKGROUND, random);
  const records = rowsOf(RECORDS, random);
  const exact = records.map((record) => exactShapley(record, background));
  // Two rounds of the background; and a part of a round, which has the error of the background too.
  for (const pairs of [2 * BACKGROUND, BACKGROUND - 3]) {
    let within = 0;
    for (const [seed, record] of records.entries()) {
      const sampled = await samplePermutations(gameOf(record, background), { ...unbounded, seed, pairs });
      assert.equal(sampled.pairs, pairs);
      for (const [player, value] of sampled.values.entries()) {
        const error = sampled.errors?.[player] ?? Number.NaN;
        if (Math.abs(value - (exact[seed]?.[player] ?? Number.NaN)) <= 3 * error + 1e-9) within += 1;
      }
    }
    t.diagnostic(`${pairs} pairs: ${within} of ${RECORDS * FEATURES} within three standard errors`);
    assert.ok(within >= 0.99 * RECORDS * FEATURES, `${pairs} pairs: ${within} of ${RECORDS * FEATURES}`);
  }
});

test("shap's exact and permutation explainers give the same values", async () => {
  for (const [seed, record] of shap.records.entries()) {
    const exact = exactShapley(record, shap.background);
    const { values, errors } = await samplePermutations(gameOf(record, shap.background), {
      ...unbounded,
      seed,
      pairs: 2 * BACKGROUND,
    });
    for (const [player, value] of values.entries()) {
      const theirs = shap.permutation[seed]?.[player] ?? Number.NaN;
      assert.ok(Math.abs((exact[player] ?? 0) - (shap.exact[seed]?.[player] ?? 0)) < 1e-8);
      // shap's own values are sampled too.
      const theirError = Math.abs(theirs - (exact[player] ?? 0));
      assert.ok(
        Math.abs(value - theirs) <= 3 * (errors?.[player] ?? 0) + theirError + 1e-8,
        `record ${seed}: ${player}`,
      );
    }
  }
});

test('the values add up to the difference of the scores, also where the background was not drawn in whole rounds', async () => {
  const random = createRandom(2);
  const background = rowsOf(BACKGROUND, random);
  const [record = []] = rowsOf(1, random);
  for (const pairs of [1, 3, 20, 33]) {
    const { values, score, baselineScore } = await samplePermutations(gameOf(record, background), {
      ...unbounded,
      pairs,
    });
    const sum = values.reduce((total, value) => total + value, 0);
    assert.ok(Math.abs(sum - (score - baselineScore)) < 1e-9, `${pairs} pairs: ${sum}`);
  }
});

test('sampling ends at the standard error that was asked for, and at the calls that there is room for', async () => {
  const random = createRandom(3);
  const background = rowsOf(1, random);
  const [record = []] = rowsOf(1, random);
  let calls = 0;
  const game = gameOf(record, background, (count) => {
    calls += count;
  });
  const byError = await samplePermutations(game, { ...unbounded, error: 0.05 });
  const largest = byError.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.ok(byError.errors?.every((error) => error <= 0.05 * largest));
  assert.ok(calls < 5000, `${calls} calls`);

  calls = 0;
  const hasRoom = (more: number) => calls + more <= 100;
  const byCalls = await samplePermutations(game, { ...unbounded, hasRoom });
  assert.ok(calls <= 100 && calls > 60, `${calls} calls`);
  assert.ok(byCalls.pairs >= 3);

  calls = 0;
  const least = await samplePermutations(game, { ...unbounded, hasRoom: () => false });
  assert.deepEqual([least.pairs, calls, least.errors], [1, leastCalls(FEATURES), undefined]);
});

test('the same seed gives the same values, another seed gives others', async () => {
  const random = createRandom(4);
  const background = rowsOf(3, random);
  const [record = []] = rowsOf(1, random);
  const run = async (seed: number) =>
    (await samplePermutations(gameOf(record, background), { ...unbounded, seed, pairs: 3 })).values;
  assert.deepEqual(await run(5), await run(5));
  assert.notDeepEqual(await run(5), await run(6));
});

test('one player gets the whole difference', async () => {
  const game: Game = {
    players: 1,
    backgrounds: 1,
    scores: async (count, _from, has) => Float64Array.from({ length: count }, (_, index) => (has(index, 0) ? 5 : 2)),
  };
  const { values, score, baselineScore } = await samplePermutations(game, { ...unbounded, error: 0.05 });
  assert.deepEqual([[...values], score, baselineScore], [[3], 5, 2]);
});
