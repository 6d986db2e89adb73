/** `tensorgate models new` and `check`. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { temporary, writeFiles } from '../../../tests/candidates.ts';
import { runCli } from '../../../tests/cli.ts';

test('F29: a new model.yaml is right as it is, and is never written over', async (t) => {
  const models = await temporary(t);
  const file = path.join(models, 'pets', 'model.yaml');
  const made = await runCli(['models', 'new', 'pets', '--models', models]);
  assert.deepEqual(
    [made.code, made.stdout],
    [0, `${file}: written; edit it, then run tensorgate models check ${path.dirname(file)}\n`],
  );
  const text = await readFile(file, 'utf8');
  assert.match(text, /^name: pets$/m);
  for (const given of [file, models]) {
    const { code, stdout } = await runCli(['models', 'check', given]);
    assert.deepEqual([code, stdout.split('\n')[1]], [0, 'pets   pictures as 224 x 224 rgb  logits of 2 classes']);
  }
  const again = await runCli(['models', 'new', 'pets', '--models', models]);
  assert.deepEqual([again.code, await readFile(file, 'utf8')], [2, text]);
  assert.match(again.stderr, /is there already; tensorgate models check /);
  assert.equal((await runCli(['models', 'new', '../pets', '--models', models])).code, 2);
});

test('F29: check names the mistakes of every model, and exits with 2', async (t) => {
  const models = await writeFiles(await temporary(t), {
    'one/model.yaml': 'name: one\nimage: {size: [4, 6], scale: div256}\nclasses: [a, b]\n',
    'two/model.yaml': 'name: two\nscoers: logits\n',
    'three/model.yaml': 'name: three\n',
  });
  const { code, stderr, stdout } = await runCli(['models', 'check', '--models', models]);
  assert.deepEqual([code, stdout], [2, '']);
  const lines = stderr.trimEnd().split('\n').sort();
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? '', /^one\/model\.yaml:2: image\.scale: .*did you mean div255\? Example: scale: tf$/);
  assert.match(lines[1] ?? '', /^two\/model\.yaml:2: scoers: .*did you mean scores\? Example: scores: logits$/);
});
