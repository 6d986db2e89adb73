import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ModelCardError, parseCard, readCards } from './card.ts';

const GOOD = 'name: m\nimage: {size: [4, 6], scale: tf}\nclasses: [a, b]\n';

test('fields left out of model.yaml have the defaults of the original pipeline', () => {
  assert.deepEqual(parseCard(GOOD, '/models/m'), {
    name: 'm',
    signature: 'serving_default',
    image: {
      size: [4, 6],
      resize: 'nearest',
      engine: 'pillow',
      antialias: false,
      fit: 'stretch',
      scale: 'tf',
      color: 'rgb',
      layout: 'NHWC',
      pillow: 13,
    },
    classes: ['a', 'b'],
    scores: 'logits',
    folder: '/models/m',
  });
});

test('a class named like a number or a boolean is read as text', () => {
  assert.deepEqual(parseCard(GOOD.replace('[a, b]', '[0, true]'), '/models/m').classes, ['0', 'true']);
});

for (const [what, text, line] of [
  ['not YAML', 'name: [', /^m\/model.yaml: not YAML/],
  ['a list', '- a', /^m\/model.yaml: file: /],
  ['an unknown field', `${GOOD}scoers: logits\n`, /scoers/],
  ['an unknown resize', GOOD.replace('scale: tf', 'scale: tf, resize: cubic'), /image\.resize: /],
  [
    'a filter of the other engine',
    GOOD.replace('scale: tf', 'scale: tf, resize: area'),
    /image\.resize: engine pillow has nearest/,
  ],
  [
    'antialias with Pillow',
    GOOD.replace('scale: tf', 'scale: tf, antialias: true'),
    /image\.antialias: only engine tensorflow/,
  ],
  [
    'a grayscale caffe',
    GOOD.replace('scale: tf', 'scale: caffe, color: grayscale'),
    /image\.scale: caffe needs the three/,
  ],
  [
    'a crop that does not fit',
    GOOD.replace('scale: tf', 'scale: tf, fit: {shorter: 5}'),
    /image\.fit: shorter: 5 cannot hold/,
  ],
  ['an image without classes', 'name: m\nimage: {size: [4, 6], scale: tf}\n', /classes: an image model needs/],
  ['two classes of one name', GOOD.replace('[a, b]', '[a, a]'), /classes: every class/],
] as const) {
  test(`${what} is refused with the file and the field`, () => {
    assert.throws(
      () => parseCard(text, '/models/m'),
      (error: unknown) => error instanceof ModelCardError && line.test(error.message),
    );
  });
}

test('a models folder is read by model name, with linked folders, and reports all mistakes at once', async (t) => {
  const models = await mkdtemp(path.join(tmpdir(), 'cards-'));
  t.after(() => rm(models, { recursive: true }));
  await assert.rejects(readCards(models), /no NAME\/model.yaml/);
  await assert.rejects(readCards(path.join(models, 'absent')), /cannot be read/);

  await mkdir(path.join(models, 'one'));
  await writeFile(path.join(models, 'one', 'model.yaml'), GOOD);
  await writeFile(path.join(models, 'notes.txt'), 'not a model');
  assert.deepEqual([...(await readCards(models)).keys()], ['m']);

  await symlink(path.join(models, 'one'), path.join(models, 'two'));
  await mkdir(path.join(models, 'three'));
  await writeFile(path.join(models, 'three', 'model.yaml'), 'name: 1');
  await assert.rejects(readCards(models), /three\/model.yaml: name: [\s\S]*two\/model.yaml: name: m is taken/);
});
