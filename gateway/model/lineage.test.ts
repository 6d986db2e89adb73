import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { cardWithoutFile } from './card.ts';
import { readLineage } from './lineage.ts';

const COMMITTED = new URL('../../serving/models/', import.meta.url).pathname;
const cardIn = (name: string, folder: string) => {
  const { isDiscovered: _, ...card } = cardWithoutFile(name);
  return { ...card, folder };
};
const committed = (name: string) => cardIn(name, path.join(COMMITTED, name));

async function model(t: TestContext, files: Record<string, object | string>) {
  const folder = await mkdtemp(path.join(tmpdir(), 'lineage-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return cardIn('pets', folder);
}

const OWN = { run_id: 'r', commit: null, data_sha256: 'a'.repeat(64) };

test('the committed models have the lineage that their training recorded', async () => {
  const photos = await readLineage(committed('clothing-model'), 4);
  assert.equal(photos.run_id, '11f4afcf3c014a5e9d54b9fb95f90ef1');
  assert.equal(photos.commit, '920f0849393d1114542e11fec3e8373bc43f011a');
  assert.deepEqual([photos.dirty, photos.cause, photos.gate], [false, null, { decision: 'accepted', against: 3 }]);
  assert.deepEqual([photos.metrics.test.accuracy, photos.metrics.validation.correct], [0.9489, 320]);
  assert.ok(!('per_class' in photos.metrics.test));
  assert.deepEqual([photos.parity?.samples, photos.parity?.tolerance], [5, 1e-4]);
  const table = await readLineage(committed('churn'), 1);
  assert.deepEqual(
    [table.dirty, table.seed, table.metrics, table.gate],
    [true, null, { test: {}, validation: {} }, null],
  );
  assert.deepEqual([table.parity?.samples, table.parity?.tolerance], [41, 1e-6]);
});

test('the alert that started the training, and the baseline, are part of it', async (t) => {
  const cause = { alert: 'Drift', model: 'pets', version: '1', feature: 'score', starts_at: '2026-11-30T12:00:00Z' };
  const card = await model(t, {
    'evaluation/2.json': { lineage: { ...OWN, cause, later: 'member' } },
    'baseline/2.json': { rows: 10, source: 'test rows', features: { score: {} } },
  });
  const { cause: found, baseline, parity, gate } = await readLineage(card, 2);
  assert.deepEqual([found, parity, gate], [cause, null, null]);
  assert.deepEqual({ ...baseline, sha256: '' }, { sha256: '', rows: 10, source: 'test rows', features: ['score'] });
  assert.match(baseline?.sha256 ?? '', /^[0-9a-f]{64}$/);
});

test('without a record it is not found, with the fix; a broken record is a fault', async (t) => {
  const card = await model(t, {
    'evaluation/1.json': { version: 1 },
    'evaluation/2.json': '{"lineage"',
    'evaluation/3.json': { lineage: { run_id: 'r' } },
    'evaluation/4.json': { lineage: OWN },
    'parity/4.json': [],
  });
  const fails = (version: number, kind: string, message: RegExp) =>
    assert.rejects(readLineage(card, version), (error: Error) => {
      assert.match(error.message, message);
      return 'kind' in error && error.kind === kind;
    });
  await fails(9, 'not_found', /^No lineage is recorded for pets version 9: evaluation\/9\.json is not beside/);
  await fails(1, 'not_found', /evaluation\/1\.json has no lineage\. Train the version again: make train\.$/);
  await fails(2, 'model_failed', /^evaluation\/2\.json: is not valid$/);
  await fails(3, 'model_failed', /^evaluation\/3\.json: is not valid$/);
  await fails(4, 'model_failed', /^parity\/4\.json: is not valid$/);
  await assert.rejects(readLineage(cardWithoutFile('found-at-a-server'), 1), { kind: 'not_found' });
});
