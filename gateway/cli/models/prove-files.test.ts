import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { writeConfirmed } from './prove-files.ts';

test('F26: the tolerance of large scores grows with their size, as the rounding of float32 does', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tensorgate-prove-'));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(path.join(folder, 'parity'));
  const card = { name: 'prices', folder, signature: 'serving_default', scores: 'values' } as const;
  const samples = [{ file: 'a.png', sha256: '0'.repeat(64) }];
  await writeConfirmed(card, [
    { version: 1, samples, scores: { 'a.png': [0.25, -9] } },
    { version: 2, samples, scores: { 'a.png': [3], 'b.png': [-400_000] } },
  ]);
  for (const [version, tolerance] of [
    [1, 1e-4],
    [2, 4],
  ] as const) {
    const text = await readFile(path.join(folder, 'parity', `${version}.json`), 'utf8');
    assert.ok(Math.abs(JSON.parse(text).tolerance - tolerance) < 1e-9, text);
  }
});
