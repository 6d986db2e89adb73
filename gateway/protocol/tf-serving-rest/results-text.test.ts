import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { stringTensor } from '../../domain/strings.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { createJsonCodec } from '../../http/json/codec.ts';
import { writeResults } from './answer.ts';
import { classificationsOf, regressionsOf } from './examples.ts';

const codec = createJsonCodec(64 * 2 ** 20);
after(() => codec.close());

const COUNT = 20_000;
const floats = (shape: number[]): Tensor => ({
  dtype: 'DT_FLOAT',
  shape,
  bytes: new Uint8Array(Float32Array.from({ length: shape.reduce((all, size) => all * size) }, (_, at) => at).buffer),
});
const labels = () =>
  stringTensor(
    [COUNT, 2],
    Array.from({ length: 2 * COUNT }, (_, at) => Buffer.from(`"é${at}`)),
  );

async function resultsOf(results: Parameters<typeof writeResults>[1]): Promise<unknown> {
  return JSON.parse(Buffer.from(await writeResults(codec.write, results)).toString()).results;
}

test('large results, written in the worker, have a value for each example', async () => {
  const values = Array.from({ length: COUNT }, (_, at) => at);
  assert.deepEqual(await resultsOf(regressionsOf(new Map([['outputs', floats([COUNT, 1])]]), COUNT)), values);
});

test('large results have labels and scores for each example; where one of both is missing, it is empty', async () => {
  const both = new Map<string, Tensor>([
    ['classes', labels()],
    ['scores', floats([COUNT, 2])],
  ]);
  const pairs = (label: (at: number) => string, score: (at: number) => number) =>
    Array.from({ length: COUNT }, (_, row) => [2 * row, 2 * row + 1].map((at) => [label(at), score(at)]));
  const labelOf = (at: number) => `"é${at}`;
  const zero = () => 0;
  const empty = () => '';
  assert.deepEqual(await resultsOf(classificationsOf(both, COUNT)), pairs(labelOf, Number));
  assert.deepEqual(await resultsOf(classificationsOf(new Map([['classes', labels()]]), COUNT)), pairs(labelOf, zero));
  const scores = new Map([['scores', floats([COUNT, 2])]]);
  assert.deepEqual(await resultsOf(classificationsOf(scores, COUNT)), pairs(empty, Number));
});
