import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { GatewayError } from '../errors.ts';
import { readBackground } from './background.ts';
import type { Baseline } from './baseline.ts';
import { parseCard } from './card.ts';

const NO_BASELINE = async () => undefined;
const withRecords = (records: Baseline['records']) => async () =>
  ({ schema: 1, model: 'm', version: 3, rows: 1, features: {}, records }) satisfies Baseline;

test('the file of model.yaml comes first, then the baseline, then parity/', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'background-'));
  t.after(() => rm(folder, { recursive: true }));
  const card = parseCard('name: m', folder);
  const read = (baselineOf: typeof NO_BASELINE | ReturnType<typeof withRecords>, own = card) =>
    readBackground(own, 3, { baselineOf, inputs: ['x'] });
  assert.equal(await read(NO_BASELINE), undefined);
  await mkdir(path.join(folder, 'parity'));
  await writeFile(path.join(folder, 'parity', '3.json'), '{"instances": [{"x": 1}]}');
  assert.deepEqual(await read(NO_BASELINE), { source: 'parity/3.json', records: [{ x: 1 }] });
  assert.equal((await read(withRecords([{ y: 1 }])))?.source, 'parity/3.json');
  assert.deepEqual(await read(withRecords([{ x: 2 }])), { source: 'baseline/3.json', records: [{ x: 2 }] });

  const named = parseCard('name: m\nbackground: own.json', folder);
  const refused = (text: string) => (error: unknown) =>
    error instanceof GatewayError && error.kind === 'model_failed' && error.message === `explain: own.json: ${text}`;
  await assert.rejects(read(NO_BASELINE, named), refused('no such file'));
  const own = path.join(folder, 'own.json');
  await writeFile(own, '[]');
  await assert.rejects(read(NO_BASELINE, named), refused('needs {"instances": […]} with a record at least'));
  const instances = Array.from({ length: 1000 }, (_, x) => ({ x }));
  await writeFile(own, JSON.stringify({ instances }));
  const background = await read(withRecords([{ x: 2 }]), named);
  assert.deepEqual([background?.source, background?.records.length], ['own.json', 100]);
  assert.deepEqual(background?.records.slice(-2), [{ x: 980 }, { x: 990 }]);
});

test('a background outside of the folder is a mistake of model.yaml', () => {
  for (const file of ['../other.json', '/etc/passwd', 'a/../../b.json']) {
    assert.throws(
      () => parseCard(`name: m\nbackground: ${file}`, '/models/m'),
      /background: needs a file in the folder/,
    );
  }
  assert.throws(() => parseCard('name: m\nimage: {encoded: true}\nclasses: [a]\nbackground: b.json', '/models/m'));
});
