import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringsOf, stringTensor } from '../domain/strings.ts';
import type { Tensor } from '../domain/tensor.ts';
import { bestClasses, wantedClasses } from './best-classes.ts';

const bytesOf = ({ buffer }: { buffer: ArrayBuffer }) => new Uint8Array(buffer);
const floats = (shape: readonly number[], ...values: number[]): Tensor => ({
  dtype: 'DT_FLOAT',
  shape,
  bytes: bytesOf(Float32Array.from(values)),
});

async function best(tensor: Tensor, count: number, labels: readonly string[] = []) {
  const answer = await bestClasses(tensor, { name: 'y', count, labels });
  assert.ok('offsets' in answer);
  return { shape: answer.shape, texts: stringsOf(answer).map((bytes) => Buffer.from(bytes).toString()) };
}

test('the highest elements of each row, with their labels where there is one for each', async () => {
  const scores = floats([2, 3], 0.5, 2, -1, 3, 3, 4);
  const labels = ['a', 'b', 'c:d'];
  assert.deepEqual(await best(scores, 2, labels), { shape: [2, 2], texts: ['2:1:b', '0.5:0:a', '4:2:c:d', '3:0:a'] });
  assert.deepEqual(await best(scores, 1, ['a']), { shape: [2, 1], texts: ['2:1', '4:2'] });
  assert.deepEqual(await best(floats([4], 1, 5, 10, 4), 9), { shape: [4], texts: ['10:2', '5:1', '4:3', '1:0'] });
  assert.deepEqual(await best(floats([0, 3]), 2), { shape: [0, 2], texts: [] });
});

test('NaN comes last, 64-bit integers keep their digits, and bfloat16 is compared by value', async () => {
  assert.deepEqual((await best(floats([3], Number.NaN, -1, 7), 3)).texts, ['7:2', '-1:1', 'NaN:0']);
  const longs = { dtype: 'DT_INT64', shape: [2], bytes: bytesOf(BigInt64Array.of(2n ** 53n, 2n ** 53n + 1n)) };
  assert.deepEqual((await best(longs, 1)).texts, ['9007199254740993:1']);
  const halves = { dtype: 'DT_BFLOAT16', shape: [2], bytes: bytesOf(Uint16Array.of(0xbf80, 0x3f80)) };
  assert.deepEqual((await best(halves, 2)).texts, ['1:1', '-1:0']);
});

test('strings, very many elements and counts that are none are refused', async () => {
  const strings = stringTensor([1], [Buffer.from('a')]);
  for (const tensor of [strings, floats([2 ** 16 + 1], ...new Float32Array(2 ** 16 + 1))]) {
    await assert.rejects(best(tensor, 1), { kind: 'invalid_request', message: /^outputs: y has no classes/ });
  }
  for (const count of [0, -1, 1.5, true, '2']) {
    const outputs = [{ name: 'y', parameters: new Map([['classification', count]]) }];
    assert.throws(() => wantedClasses(outputs), { message: /^outputs\[0\]\.parameters\.classification: needs/ });
  }
});
