import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { readFiles, surroundings, temporary, WHOLE, writeFiles } from '../../../tests/candidates.ts';
import { runCli } from '../../../tests/cli.ts';
import { ModelCardError } from '../../model/card.ts';
import { ModelsError } from './failure.ts';
import { push } from './push.ts';

/** A models folder, and a candidate as training writes it: version 1 in a separate model folder. */
async function folders(t: TestContext) {
  const folder = await temporary(t);
  const candidate = path.join(folder, 'candidate', 'pets', '1');
  const files = Object.entries(WHOLE).map(([name, content]) => [path.join('1', name), content]);
  await writeFiles(path.dirname(candidate), { ...surroundings('pets'), ...Object.fromEntries(files) });
  const models = path.join(folder, 'models');
  await mkdir(models);
  return { candidate, models, model: path.join(models, 'pets') };
}

async function refuses(work: Promise<unknown>, message: RegExp, exitCode = 2): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof ModelsError);
    assert.match(error.message, message);
    assert.ok(!error.message.includes('\n'));
    return error.exitCode === exitCode;
  });
}

test('the first push copies the version and its companion files', async (t) => {
  const { candidate, models, model } = await folders(t);
  await chmod(path.join(candidate, 'model.onnx'), 0o600);
  const bytes = Object.values(WHOLE).reduce((sum, { length }) => sum + length, 0);
  const pushed = await push(candidate, 'pets', models);
  assert.deepEqual(pushed, { model: 'pets', version: 1, folder: path.join(model, '1'), files: 4, bytes });
  const [source, target] = await Promise.all([readFiles(path.dirname(candidate)), readFiles(model)]);
  assert.deepEqual(Object.keys(target), Object.keys(source));
  for (const [name, content] of Object.entries(target)) {
    if (/\d\.json$/.test(name)) assert.deepEqual(JSON.parse(content), JSON.parse(source[name] ?? ''), name);
    else assert.equal(content, source[name], name);
  }
  // A server may run as another user.
  assert.equal((await stat(path.join(model, '1', 'model.onnx'))).mode & 0o777, 0o644);
});

test('the background that model.yaml names is pushed with it; without the file the push is refused', async (t) => {
  const { candidate, models, model } = await folders(t);
  const parent = path.dirname(candidate);
  await writeFiles(parent, { 'model.yaml': 'name: pets\nbackground: data/background.json\n' });
  await refuses(push(candidate, 'pets', models), /background\.json: is missing; background in model\.yaml names it$/);
  await writeFiles(parent, { 'data/background.json': '{"instances": [{"x": 1}]}' });
  await push(candidate, 'pets', models);
  assert.equal((await readFiles(model))['data/background.json'], '{"instances": [{"x": 1}]}');
});

test('the baseline of a version is pushed with its new model and number; an invalid one refuses the push', async (t) => {
  const { candidate, models, model } = await folders(t);
  const features = { score: { kind: 'number', edges: [0.5], counts: [3, 4], missing: 0 } };
  const baseline = { schema: 1, model: 'other', version: 1, rows: 7, features };
  const write = (value: object) => writeFiles(path.dirname(candidate), { 'baseline/1.json': JSON.stringify(value) });
  await write({ ...baseline, rows: 0 });
  await refuses(push(candidate, 'pets', models), /baseline\/1\.json: rows: /);
  await write(baseline);
  await push(candidate, 'pets', models);
  await push(candidate, 'pets', models);
  const pushed = JSON.parse((await readFiles(model))['baseline/2.json'] ?? '');
  assert.deepEqual(pushed, { ...baseline, model: 'pets', version: 2 });
});

test('the next push gets the next number and copies only its own records', async (t) => {
  const { candidate, models, model } = await folders(t);
  await push(candidate, 'pets', models);
  await writeFile(path.join(model, 'model.yaml'), 'name: pets\n# edited\n');
  assert.equal((await push(candidate, 'pets', models)).version, 2);
  const files = await readFiles(model);
  assert.equal(files['model.yaml'], 'name: pets\n# edited\n');
  assert.equal(JSON.parse(files['evaluation/2.json'] ?? '').version, 2);
  assert.equal(JSON.parse(files['parity/2.json'] ?? '').version, 2);
  assert.deepEqual(
    JSON.parse(files['evaluation/2.json'] ?? '').lineage,
    JSON.parse(files['evaluation/1.json'] ?? '').lineage,
  );
  assert.deepEqual((await readdir(model)).sort(), ['1', '2', 'evaluation', 'model.yaml', 'parity']);
});

test('no number is used twice: deleted, withdrawn and manually copied versions count', async (t) => {
  const { candidate, models, model } = await folders(t);
  await push(candidate, 'pets', models);
  await push(candidate, 'pets', models);
  await rm(path.join(model, '2'), { recursive: true });
  assert.equal((await push(candidate, 'pets', models)).version, 3);
  await mkdir(path.join(model, '.withdrawn-7'));
  assert.equal((await push(candidate, 'pets', models)).version, 8);
  await writeFiles(path.join(model, '0012'), WHOLE);
  assert.equal((await push(candidate, 'pets', models)).version, 13);
});

test('a version outside of a model folder is pushed with a minimal record', async (t) => {
  const { models, model } = await folders(t);
  const saved = await writeFiles(path.join(await temporary(t), 'saved_model_dir'), WHOLE);
  await push(saved, 'pets', models);
  assert.deepEqual((await readdir(model)).sort(), ['1', 'evaluation']);
  assert.deepEqual(JSON.parse((await readFiles(model))['evaluation/1.json'] ?? ''), { version: 1, model: 'pets' });
});

for (const name of ['.hidden', '../up', '', 'a/b', 'ä']) {
  test(`the model name ${JSON.stringify(name)} is refused`, async (t) => {
    const { candidate, models } = await folders(t);
    await refuses(push(candidate, name, models), /^model name "/);
    assert.deepEqual(await readdir(models), []);
  });
}

test('an invalid push is refused and writes nothing', async (t) => {
  const { candidate, models } = await folders(t);
  const parent = path.dirname(candidate);
  await refuses(push(candidate, 'other', models), /model\.yaml: is of model pets, not of other$/);
  await refuses(push(candidate, 'pets', path.join(models, 'none')), /^MODELS: .*none is not a folder/);
  await refuses(push(path.join(parent, '9'), 'pets', models), /9: does not exist$/);
  await rm(path.join(parent, 'parity', 'a.png'));
  await refuses(push(candidate, 'pets', models), /a\.png: is missing; parity\/tensors\.json names it$/);
  await writeFile(path.join(parent, 'evaluation', '1.json'), '{"version": 1,');
  await refuses(push(candidate, 'pets', models), /evaluation\/1\.json: .*JSON/);
  await writeFile(path.join(parent, 'evaluation', '1.json'), '{"gate": {"decision": "refused"}}');
  await refuses(push(candidate, 'pets', models), /the evaluation gate refused it; .*evaluation\/1\.json says why$/);
  await writeFile(path.join(parent, 'model.yaml'), 'name: [pets');
  await assert.rejects(push(candidate, 'pets', models), ModelCardError);
  assert.deepEqual(await readdir(models), []);
});

test('a version that lacks a format of the newest version is refused: its server could not load it', async (t) => {
  const { candidate, models, model } = await folders(t);
  await push(candidate, 'pets', models);
  await rm(path.join(candidate, 'model.onnx'));
  await refuses(push(candidate, 'pets', models), /has no model\.onnx, but version 1 in service has one.*make convert/);
  await writeFiles(path.join(model, '1'), { 'serving_uint8.onnx': WHOLE['model.onnx'] ?? '' });
  await writeFiles(candidate, { 'model.onnx': WHOLE['model.onnx'] ?? '' });
  await refuses(push(candidate, 'pets', models), /has no serving_uint8\.onnx, but version 1/);
  assert.deepEqual((await readdir(model)).sort(), ['1', 'evaluation', 'model.yaml', 'parity']);
});

test('a version made with other parity tensors than the published model is refused', async (t) => {
  const { candidate, models } = await folders(t);
  await push(candidate, 'pets', models);
  const tensors = '{"samples": [{"file": "a.png", "sha256": "def"}]}';
  await writeFile(path.join(candidate, '../parity/tensors.json'), tensors);
  await refuses(
    push(candidate, 'pets', models),
    /parity\/a\.png differs from that of .*pets: it needs another model\.yaml/,
  );
});

test('the command prints one line or JSON, and exits with 2 for refusals', async (t) => {
  const { candidate, models, model } = await folders(t);
  const args = ['models', 'push', candidate, '--model', 'pets', '--models', models];
  const first = await runCli(args);
  assert.equal(first.stdout, `pets version 1: ${path.join(model, '1')}, 0.1 kB in 4 files\n`);
  assert.deepEqual([first.code, first.stderr], [0, '']);
  const second = await runCli([...args.slice(0, -2), '--json'], { env: { MODELS: models } });
  assert.equal(JSON.parse(second.stdout).version, 2);
  const usage: [string[], RegExp][] = [
    [['models', 'push', candidate], /required option '--model <name>' not specified/],
    [[...args, '--wait', '10'], /^10: needs a duration above zero, such as 500ms, 20s or 2m\n$/],
    [[...args, '--wait', '10m'], /^TF_SERVING_HOST is not set, and no gateway with the embedded server runs for/],
    [
      [...args, '--wait', '10m', '--tf-serving-host', 'nowhere'],
      /^TF_SERVING_HOST=nowhere: "nowhere" is not host:port/,
    ],
    [
      ['models', 'push', models, '--model', 'pets', '--models', models],
      /has neither saved_model\.pb nor model\.onnx\n$/,
    ],
  ];
  for (const [wrong, message] of usage) {
    const { code, stdout, stderr } = await runCli(wrong);
    assert.deepEqual([code, stdout], [2, ''], stderr);
    assert.match(stderr, message);
  }
  assert.deepEqual(
    (await readdir(model)).filter((name) => /\d/.test(name)),
    ['1', '2'],
  );
});
