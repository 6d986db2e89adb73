import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { predictionsOf } from './features.ts';

const HEAD = { kind: 'prediction', schema: 1, time: '2026-11-30T15:00:00.000Z', model: 'm', version: 1 };
const PICTURE = {
  kind: 'picture',
  sha256: null,
  bytes: 9,
  format: 'jpeg',
  width: 400,
  height: 200,
  url: null,
};

test('lines have the features that the metrics count, and those of older gateways fewer', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'features-'));
  t.after(() => rm(folder, { recursive: true }));
  const statistics = { brightness: 100, contrast: 40, sharpness: 7 };
  const answer = { class: 'cat', score: 0.9 };
  const values = { tenure: [3], contract: ['monthly'], both: [1, 2] };
  const lines = [
    { ...HEAD, input: { ...PICTURE, statistics }, ...answer, entropy: 0.25, outputs: { values: { y: [1, 2] } } },
    { ...HEAD, input: PICTURE, ...answer, outputs: { values: { y: [1] } } },
    {
      ...HEAD,
      input: { kind: 'tensors', values, digests: {} },
      class: null,
      score: null,
      outputs: { values: { churn: true, p: [0.75] } },
    },
  ];
  await writeFile(path.join(folder, 'a.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const counts = { unreadable: 0 };
  const read = await Array.fromAsync(predictionsOf([folder], counts));
  assert.equal(counts.unreadable, 0);
  assert.deepEqual(
    read.map(({ features }) => Object.fromEntries(features)),
    [
      { ...answer, entropy: 0.25, pixels: 80_000, aspect: 2, ...statistics },
      { ...answer, pixels: 80_000, aspect: 2 },
      { 'input.tenure': 3, 'input.contract': 'monthly', 'output.churn': 1, 'output.p': 0.75 },
    ],
  );
});
