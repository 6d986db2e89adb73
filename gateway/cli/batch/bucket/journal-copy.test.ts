import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigError } from '../../../config/read.ts';
import { Journal, type JournalHead } from '../journal.ts';
import { JournalCopy, restoreJournal } from './journal-copy.ts';

const HEAD: JournalHead = { input: 'gs://b/photos/', fingerprint: 'abc', total: 9, shard: '0/1', model: '//' };
const fail = (error: unknown) => assert.fail(String(error));
const row = (index: number) => ({ index, prediction: { p: index } });

async function fileFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'copy-'));
  t.after(() => rm(folder, { recursive: true }));
  return path.join(folder, 'journal');
}

/** Objects in memory. */
function memory() {
  const objects = new Map<string, Buffer<ArrayBuffer>>();
  return {
    objects,
    write: async (part: Blob) => void objects.set(`${objects.size}`, Buffer.from(await part.arrayBuffer())),
    read: async (name: string) => objects.get(name) ?? assert.fail(name),
  };
}

test('runs on different machines add up, and no part has a line of another', async (t) => {
  const store = memory();
  for (const rows of [[3, 1], [], [1, 4, 2], [0]]) {
    const file = await fileFor(t);
    await restoreJournal(store, [...store.objects.keys()], file);
    const journal = new Journal(file, HEAD);
    const copy = new JournalCopy(file, HEAD, { write: store.write, onError: fail });
    for (const index of rows) journal.append([row(index)]);
    await copy.end();
    journal.close();
  }
  const lines = [...store.objects.values()].map((bytes) => String(bytes).trimEnd().split('\n').slice(1));
  assert.deepEqual(
    lines,
    [[row(3), row(1)], [row(4), row(2)], [row(0)]].map((part) => part.map((r) => JSON.stringify(r))),
  );
  const file = await fileFor(t);
  await restoreJournal(store, [...store.objects.keys()], file);
  assert.equal((await readFile(file, 'utf8')).split(JSON.stringify(HEAD)).length, 2);
});

test('two pods of one shard at once cost work, and no line is twice', async (t) => {
  const store = memory();
  const files = [await fileFor(t), await fileFor(t)];
  for (const file of files) {
    const journal = new Journal(file, HEAD);
    const copy = new JournalCopy(file, HEAD, { write: store.write, onError: fail });
    journal.append([row(0), row(1)]);
    await copy.end();
    journal.close();
  }
  const file = await fileFor(t);
  await restoreJournal(store, [...store.objects.keys()], file);
  const journal = new Journal(file, HEAD);
  assert.deepEqual([journal.done, [...journal.lines()].length], [2, 2]);
  journal.close();
});

test('parts of another batch are refused', async (t) => {
  const store = memory();
  for (const head of [HEAD, { ...HEAD, model: 'churn//' }]) {
    await store.write(new Blob([`${JSON.stringify(head)}\n${JSON.stringify(row(0))}\n`]));
  }
  await assert.rejects(restoreJournal(store, ['0', '1'], await fileFor(t)), ConfigError);
});

test('a part that cannot be written is told once, and again at the end', async (t) => {
  const file = await fileFor(t);
  const journal = new Journal(file, HEAD);
  const told: unknown[] = [];
  const error = new Error('no right to write');
  const copy = new JournalCopy(file, HEAD, { write: () => Promise.reject(error), onError: (why) => told.push(why) });
  journal.append([row(0)]);
  await assert.rejects(copy.end(), error);
  journal.close();
  assert.deepEqual(told, [error]);
});
