import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { RequestContext } from '../domain/request.ts';
import { parseCard } from './card.ts';
import { type ParityParts, proveParity } from './parity.ts';
import type { Binding } from './signatures.ts';

test('a version is unproven without its parity files or the hash for its dtype', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'parity-'));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(path.join(folder, 'parity'));
  const write = (file: string, value: object) => writeFile(path.join(folder, 'parity', file), JSON.stringify(value));
  const binding = { card: { folder }, version: 2, input: { dtype: 'DT_UINT8' } } as Binding;
  const parity = () => proveParity(binding, {} as ParityParts, {} as RequestContext);

  assert.deepEqual(await parity(), { state: 'unproven', detail: 'version 2 has no parity/tensors.json' });
  await write('tensors.json', { samples: [{ file: 'a.png', sha256: 'of floats' }] });
  assert.deepEqual(await parity(), { state: 'unproven', detail: 'version 2 has no parity/2.json' });
  await write('2.json', { tolerance: 1e-4, scores: { 'a.png': [0] } });
  const detail = 'parity/tensors.json has no pixels_sha256 of a.png';
  assert.deepEqual(await parity(), { state: 'unproven', detail });
});

test('A4: tensors that follow model.yaml prove nothing, and a confirmed model.yaml must not change', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'parity-'));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(path.join(folder, 'parity'));
  const image = { size: [8, 8], scale: 'tf' };
  const card = parseCard(JSON.stringify({ name: 'pets', image, classes: ['a', 'b'] }), folder);
  const binding = { card, version: 1, input: { dtype: 'DT_FLOAT' } } as Binding;
  const parity = async (source: string, resize: string) => {
    const tensors = { source, image: { ...image, resize }, samples: [{ file: 'a.png', sha256: '' }] };
    await writeFile(path.join(folder, 'parity', 'tensors.json'), JSON.stringify(tensors));
    return proveParity(binding, {} as ParityParts, {} as RequestContext);
  };
  const next = 'if it is right, run: tensorgate models prove pets';
  assert.deepEqual(await parity('model.yaml', 'bilinear'), {
    state: 'unproven',
    detail: `model.yaml was changed after the conversion; ${next}`,
  });
  assert.deepEqual(await parity('confirmed', 'bilinear'), {
    state: 'differing',
    detail: `model.yaml reads pictures in another way than was confirmed; ${next}`,
  });
  // The defaults of model.yaml count as if they were written.
  assert.deepEqual(await parity('confirmed', 'nearest'), {
    state: 'unproven',
    detail: 'version 1 has no parity/1.json',
  });
});
