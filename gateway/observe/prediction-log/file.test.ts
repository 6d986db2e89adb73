import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '../../../tests/until.ts';
import { type FilesOptions, openFiles } from './file.ts';

const { signal } = new AbortController();

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'prediction-log-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** A folder with its files, opened with these options. */
async function rig(t: TestContext, options: Partial<FilesOptions> = {}) {
  const folder = await folderFor(t);
  const names = async () => (await readdir(folder)).sort();
  const lines = async () => {
    const texts = await Promise.all((await names()).map((name) => readFile(path.join(folder, name), 'utf8')));
    return texts.join('').trim().split('\n');
  };
  return { folder, names, lines, files: openFiles({ folder, ...options }) };
}

test('a file has its own name when it is finished; names sort by time', async (t) => {
  const { files, names, lines } = await rig(t, { maxBytes: 10 });
  for (const line of ['one', 'two', 'three', 'four']) await files.write([line, line], signal);
  assert.deepEqual(
    (await names()).map((name) => name.replace(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z-[\da-f]{8}/, '')),
    ['.jsonl', '.jsonl', '.jsonl', '.jsonl.part'],
  );
  await files.close();
  assert.deepEqual(await lines(), ['one', 'one', 'two', 'two', 'three', 'three', 'four', 'four']);
  assert.ok((await names()).every((name) => name.endsWith('.jsonl')));
});

test('a file is finished by its age, without a further line', async (t) => {
  const { files, names } = await rig(t, { maxAgeMs: 1 });
  await files.write(['a'], signal);
  await until(async () => (await names()).every((name) => name.endsWith('.jsonl')));
  assert.equal((await names()).length, 1);
  await files.close();
});

test('what a killed gateway left is finished, without half a line; a file in use is left alone', async (t) => {
  const folder = await folderFor(t);
  const old = new Date(Date.now() - 3_600_000);
  const long = 'x'.repeat(200_000);
  const contents = {
    'a.jsonl.part': `1\n2\n{"ki`,
    'b.jsonl.part': `1\n${long}`,
    'c.jsonl.part': '{"ki',
    'd.jsonl.part': '1\n2',
  };
  for (const [name, text] of Object.entries(contents)) {
    await writeFile(path.join(folder, name), text);
    if (name !== 'd.jsonl.part') await utimes(path.join(folder, name), old, old);
  }
  await openFiles({ folder }).close();
  const read = async (name: string) => [name, await readFile(path.join(folder, name), 'utf8')];
  assert.deepEqual(Object.fromEntries(await Promise.all((await readdir(folder)).map(read))), {
    'a.jsonl': '1\n2\n',
    'b.jsonl': '1\n',
    'd.jsonl.part': '1\n2',
  });
});

test('a folder that cannot be written is refused at once', async (t) => {
  const folder = await folderFor(t);
  await writeFile(path.join(folder, 'file'), '');
  assert.throws(() => openFiles({ folder: path.join(folder, 'file') }), { code: 'EEXIST' });
});

test('a folder or a file that is deleted costs what was in it: the next lines go to a new one', async (t) => {
  const { files, folder, lines, names } = await rig(t);
  await files.write(['one'], signal);
  await rm(folder, { recursive: true });
  await files.write(['two'], signal);
  assert.deepEqual(await lines(), ['two']);
  for (const name of await names()) await rm(path.join(folder, name));
  await files.write(['three'], signal);
  await files.close();
  assert.deepEqual(await lines(), ['three']);
});

test('a folder in whose place a file is costs the lines until it is gone', async (t) => {
  const { files, folder, lines } = await rig(t);
  await rm(folder, { recursive: true });
  await writeFile(folder, '');
  await assert.rejects(files.write(['one'], signal), { code: 'EEXIST' });
  await rm(folder);
  await files.write(['two'], signal);
  await files.close();
  assert.deepEqual(await lines(), ['two']);
});
