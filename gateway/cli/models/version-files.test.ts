import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { addModel } from '../../../serving/embedded/testing/onnx-models.ts';
import { type Files, INDEX, SHARD, savedModel, temporary, WHOLE, writeFiles } from '../../../tests/candidates.ts';
import { ModelsError } from './failure.ts';
import { checkVersion, listVersionFiles } from './version-files.ts';

async function check(folder: string): Promise<void> {
  await checkVersion(folder, await listVersionFiles(folder));
}

const { 'model.onnx': onnx = '', ...saved } = WHOLE;

const LOADABLE: Record<string, Files> = {
  'both formats': WHOLE,
  'a SavedModel': saved,
  'an ONNX model': { 'model.onnx': onnx },
  'two signatures in ONNX': { 'model.onnx': onnx, 'serving_uint8.onnx': onnx },
  'a SavedModel with only constants': { 'saved_model.pb': savedModel('Const') },
  'a SavedModel in two shards': {
    'saved_model.pb': savedModel('VarHandleOp'),
    [INDEX]: 'index',
    'variables/variables.data-00000-of-00002': 'one',
    'variables/variables.data-00001-of-00002': 'two',
  },
};
for (const [name, files] of Object.entries(LOADABLE)) {
  test(`can be loaded: ${name}`, async (t) => check(await writeFiles(await temporary(t), files)));
}

const graph = savedModel('VarHandleOp');
const BROKEN: [string, Files, RegExp][] = [
  ['no model', { 'README.md': 'hello' }, /has neither saved_model\.pb nor model\.onnx$/],
  ['a signature without its model', { 'serving_uint8.onnx': onnx }, /model\.onnx is missing; serving_uint8\.onnx is/],
  ['an empty saved_model.pb', { ...WHOLE, 'saved_model.pb': '' }, /saved_model\.pb: is empty$/],
  ['an empty model.onnx', { 'model.onnx': '' }, /model\.onnx: is empty$/],
  ['a truncated saved_model.pb', { 'saved_model.pb': graph.subarray(0, -1) }, /it has 14 bytes and should have 15/],
  ['a truncated model.onnx', { 'model.onnx': addModel(1).subarray(0, -3) }, /model\.onnx: cannot be loaded: it is cut/],
  ['HTML instead of a model', { 'model.onnx': '<!DOCTYPE html>' }, /cannot be loaded: it is/],
  ['a message without a graph', { 'model.onnx': Buffer.of(0x08, 1) }, /there is no graph in it$/],
  ['a Git LFS pointer', { 'model.onnx': 'version https://git-lfs.github.com/spec/v1\n' }, /cannot be loaded/],
  ['no variables', { 'saved_model.pb': graph }, /variables\/variables\.index is missing/],
  ['no index', { 'saved_model.pb': graph, [SHARD]: 'w' }, /variables\/variables\.index is missing/],
  ['an empty index', { ...WHOLE, [INDEX]: '' }, /variables\/variables\.index is empty/],
  ['no shard', { 'saved_model.pb': graph, [INDEX]: 'i' }, /variables\.data-00000-of-00001 is missing/],
  [
    'one shard of two',
    { 'saved_model.pb': graph, [INDEX]: 'i', 'variables/variables.data-00000-of-00002': 'w' },
    /variables\.data-00001-of-00002 is missing; the SavedModel's variables are incomplete$/,
  ],
];
for (const [name, files, message] of BROKEN) {
  test(`is refused: ${name}`, async (t) => {
    const folder = await writeFiles(await temporary(t), files);
    await assert.rejects(check(folder), (error) => {
      assert.ok(error instanceof ModelsError);
      assert.match(error.message, message);
      assert.ok(error.message.startsWith(folder) && !error.message.includes('\n'));
      return error.exitCode === 2;
    });
  });
}

test('links to files are followed; links to folders are refused', async (t) => {
  const folder = await temporary(t);
  const blob = path.join(await writeFiles(path.join(folder, 'blobs'), { abc: onnx }), 'abc');
  const version = path.join(folder, '1');
  await mkdir(version);
  await symlink(blob, path.join(version, 'model.onnx'));
  assert.deepEqual(await listVersionFiles(version), [{ name: 'model.onnx', bytes: onnx.length }]);
  await check(version);
  await symlink(folder, path.join(version, 'assets'));
  await assert.rejects(check(version), /assets: is a link to a folder; copy that folder in its place$/);
});

test('a missing path, a file and a dangling link are refused with their path', async (t) => {
  const folder = await writeFiles(await temporary(t), { 'model.onnx': onnx });
  await assert.rejects(check(path.join(folder, '7')), /7: does not exist$/);
  await assert.rejects(check(path.join(folder, 'model.onnx')), /model\.onnx: is not a folder; a version is/);
  await symlink('nowhere', path.join(folder, 'dangling'));
  await assert.rejects(check(folder), /dangling: does not exist$/);
});
