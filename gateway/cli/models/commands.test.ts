import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { surroundings, temporary, WHOLE, writeFiles } from '../../../tests/candidates.ts';
import { runCli } from '../../../tests/cli.ts';
import { runDelete } from './delete.ts';
import { runLabel } from './label.ts';
import { runList } from './list.ts';
import { push } from './push.ts';
import { runRollback } from './rollback.ts';
import { runShow } from './show.ts';

const CONFIG = `model_config_list {
  config {
    name: "pets"
    base_path: "/models/pets"
    model_platform: "tensorflow"
  }
}
`;

/** A models folder with versions 1, 2 and 3 of one model, and the output of the commands. */
async function pets(t: TestContext) {
  const folder = await temporary(t);
  const models = path.join(folder, 'models');
  const parent = await writeFiles(path.join(folder, 'pets'), surroundings('pets'));
  const candidate = await writeFiles(path.join(parent, '1'), WHOLE);
  await writeFiles(models, { 'models.config': CONFIG });
  for (const _ of [1, 2, 3]) await push(candidate, 'pets', models);
  const printed: { value: object; text: string }[] = [];
  const result = (value: object, text: string) => void printed.push({ value, text });
  const context = { models, shared: undefined, output: { result, progress: assert.fail } };
  const model = path.join(models, 'pets');
  const inService = async () => (await readdir(model)).filter((name) => /^\d+$/.test(name)).sort();
  return { context, model, candidate, inService, last: () => printed.at(-1) ?? assert.fail('nothing printed') };
}

test('rollback withdraws the newest version, repeatedly, but never the last one', async (t) => {
  const { context, model, inService, last } = await pets(t);
  await runRollback({ model: 'pets' }, context);
  assert.deepEqual(last(), {
    value: { model: 'pets', version: 2, withdrawn: [3], restored: false },
    text: 'pets: version 2 is the newest in service; withdrawn: 3',
  });
  await runRollback({ model: 'pets' }, context);
  assert.deepEqual(await inService(), ['1']);
  assert.deepEqual(
    (await readdir(model)).filter((name) => name.startsWith('.')),
    ['.withdrawn-2', '.withdrawn-3'],
  );
  const none = /pets: there is no version before 1; --to 3 restores the withdrawn version 3$/;
  await assert.rejects(runRollback({ model: 'pets' }, context), { message: none, exitCode: 2 });
});

test('rollback --to goes back several versions, and forward again', async (t) => {
  const { context, candidate, inService, last } = await pets(t);
  await runRollback({ model: 'pets', to: 1 }, context);
  assert.deepEqual(await inService(), ['1']);
  await runRollback({ model: 'pets', to: 3 }, context);
  assert.equal(last().text, 'pets: version 3 is the newest in service; restored');
  assert.deepEqual(await inService(), ['1', '3']);
  await runRollback({ model: 'pets', to: 2 }, context);
  assert.equal(last().text, 'pets: version 2 is the newest in service; restored; withdrawn: 3');
  assert.deepEqual(await inService(), ['1', '2']);
  await assert.rejects(runRollback({ model: 'pets', to: 9 }, context), {
    message: /pets: has no version 9$/,
    exitCode: 2,
  });
  assert.equal((await push(candidate, 'pets', context.models)).version, 4);
});

test('labels are set, moved and removed; a labelled version is neither withdrawn nor deleted', async (t) => {
  const { context, inService, last } = await pets(t);
  await runLabel('pets', ['stable=3', 'canary=2'], context);
  const file = path.join(context.models, 'models.config');
  assert.equal(last().text, `pets: stable=3 canary=2 in ${file}`);
  const text = await readFile(file, 'utf8');
  assert.match(text, /model_version_policy \{ all \{\} \}\n {4}version_labels \{ key: "stable" value: 3 \}\n/);
  const labelled = /^pets version 3 has the label stable; move it first: tensorgate models label pets stable=VERSION$/;
  await assert.rejects(runRollback({ model: 'pets' }, context), { message: labelled, exitCode: 2 });
  await assert.rejects(runDelete('pets', 2, context), /has the label canary/);
  await runLabel('pets', ['stable=1', 'canary='], context);
  await runRollback({ model: 'pets' }, context);
  assert.deepEqual(await inService(), ['1', '2']);
  const gone = runLabel('pets', ['stable=3'], context);
  await assert.rejects(gone, { message: 'stable=3: pets has no version 3 in service; it has 1, 2', exitCode: 2 });
  await assert.rejects(runLabel('pets', ['stable'], context), /^Error: stable: needs LABEL=VERSION/);
  await assert.rejects(runLabel('dogs', ['stable=1'], context), /no versions of a model dogs are there/);
  await writeFile(file, 'model_config_list {');
  await assert.rejects(runLabel('pets', ['stable=1'], context), /models\.config: line 1: expected the name of a field/);
});

test('delete removes old and withdrawn versions, not the newest in service, and keeps the record', async (t) => {
  const { context, model, inService, last } = await pets(t);
  const newest = 'pets version 3 is the newest in service; first tensorgate models rollback pets';
  await assert.rejects(runDelete('pets', 3, context), { message: newest, exitCode: 2 });
  await runDelete('pets', 1, context);
  await runRollback({ model: 'pets' }, context);
  await runDelete('pets', 3, context);
  assert.equal(last().text, `pets version 3: deleted ${path.join(model, '.withdrawn-3')}`);
  assert.deepEqual(await inService(), ['2']);
  assert.deepEqual((await readdir(path.join(model, 'evaluation'))).sort(), ['1.json', '2.json', '3.json']);
  await assert.rejects(runDelete('pets', 2, context), /first push another version$/);
  await assert.rejects(runDelete('pets', 3, context), /pets: has no version 3$/);
  await runShow('pets', 3, context);
  assert.match(last().text, /^folder {7}deleted$/m);
});

test('list shows every version with formats, size, accuracy, labels and state', async (t) => {
  const { context, last } = await pets(t);
  await runLabel('pets', ['stable=1'], context);
  await runRollback({ model: 'pets' }, context);
  await runList(undefined, context);
  const [head, ...lines] = last()
    .text.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'TODAY')
    .split('\n');
  assert.equal(head, 'pets');
  assert.deepEqual(
    lines.map((line) => line.replaceAll(/ {2,}/g, '  ')),
    [
      'version  formats  size  pushed  accuracy  labels  state',
      '1  model.onnx saved_model.pb  0.1 kB  TODAY  0.8750  stable',
      '2  model.onnx saved_model.pb  0.1 kB  TODAY  0.8750',
      '3  model.onnx saved_model.pb  0.1 kB  TODAY  0.8750  withdrawn',
    ],
  );
  await assert.rejects(runList('dogs', context), { exitCode: 2 });
});

test('show prints the run, the data and the commit of a version', async (t) => {
  const { context, last } = await pets(t);
  await runShow('pets', 2, context);
  assert.match(
    last().text,
    /^accuracy {5}0\.8750\ngate {9}accepted\nrun_id {7}run-7\ncommit {7}c0ffee\ndata_sha256 {2}da7a$/m,
  );
  await assert.rejects(runShow('pets', 9, context), /has no version 9, and no record of one$/);
});

test('every command prints JSON with --json', async (t) => {
  const { context } = await pets(t);
  const cli = (...args: string[]) => runCli(['models', ...args, '--models', context.models, '--json']);
  const listed = JSON.parse((await cli('list', 'pets')).stdout);
  assert.deepEqual(
    listed[0].versions.map(({ version }: { version: number }) => version),
    [1, 2, 3],
  );
  assert.equal(JSON.parse((await cli('show', 'pets', '3')).stdout).evaluation.lineage.run_id, 'run-7');
  assert.deepEqual(JSON.parse((await cli('label', 'pets', 'stable=1')).stdout).labels, { stable: 1 });
  assert.deepEqual(JSON.parse((await cli('rollback', 'pets', '--to', '1')).stdout).withdrawn, [2, 3]);
  assert.equal(JSON.parse((await cli('delete', 'pets', '3')).stdout).version, 3);
  const wrong = await cli('show', 'pets', 'latest');
  assert.deepEqual([wrong.code, wrong.stdout], [2, '']);
  assert.match(wrong.stderr, /A version is a whole number from 0 to/);
});
