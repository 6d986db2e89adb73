import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigError } from '../../config/read.ts';
import { Journal, type JournalHead } from './journal.ts';

const HEAD: JournalHead = { input: 'photos', fingerprint: 'abc', total: 5, shard: '0/1', model: '//' };
const row = (index: number) => ({ index, prediction: { scores: `é${index}` } });

async function place(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'journal-'));
  t.after(() => rm(folder, { recursive: true }));
  return path.join(folder, 'out.journal');
}

/** The indexes of the lines that a journal gives. */
const indexes = (journal: Journal) => [...journal.lines()].map((line) => JSON.parse(line).index);

test('results come back in the order of the input, each once, after the journal is opened again', async (t) => {
  const file = await place(t);
  const first = new Journal(file, HEAD);
  first.append([row(3), row(0)]);
  first.append([row(0), row(4)]);
  first.close();
  const again = new Journal(file, HEAD);
  again.append([row(1), row(3)]);
  assert.deepEqual(
    [...again.lines()].map((line) => JSON.parse(line)),
    [row(0), row(1), row(3), row(4)],
  );
  assert.deepEqual([again.done, again.has(2), again.has(4)], [4, false, true]);
  again.close();
});

test('wherever a kill cuts the journal, whole lines stay and the next results follow them', async (t) => {
  const file = await place(t);
  const whole = new Journal(file, HEAD);
  whole.append([row(2), row(1)]);
  whole.close();
  const bytes = await readFile(file);
  for (let length = 0; length <= bytes.length; length += 1) {
    await writeFile(file, bytes.subarray(0, length));
    const journal = new Journal(file, HEAD);
    const kept = indexes(journal);
    journal.append([row(0), row(1), row(2)]);
    assert.deepEqual(indexes(journal), [0, 1, 2], `cut at ${length}`);
    journal.close();
    const lines = bytes.subarray(0, length).toString().split('\n').length - 2;
    assert.equal(kept.length, Math.max(0, lines), `cut at ${length}`);
  }
});

test('zeros that a power failure leaves at the end are removed', async (t) => {
  const file = await place(t);
  const journal = new Journal(file, HEAD);
  journal.append([row(2)]);
  journal.close();
  await appendFile(file, `${'\0'.repeat(100)}\n{"index":1}\n`);
  const again = new Journal(file, HEAD);
  assert.deepEqual(indexes(again), [2]);
  again.close();
  await truncate(file, 0);
});

test('the journal of another batch is refused, and the difference is named', async (t) => {
  const file = await place(t);
  new Journal(file, HEAD).close();
  for (const [change, message] of [
    [{ shard: '1/2' }, /shard was 0\/1, and is 1\/2/],
    [{ fingerprint: 'def' }, /the input has changed/],
  ] as const) {
    assert.throws(
      () => new Journal(file, { ...HEAD, ...change }),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
  }
  await writeFile(file, 'a file of somebody else\n');
  assert.throws(() => new Journal(file, HEAD), ConfigError);
  assert.equal(await readFile(file, 'utf8'), 'a file of somebody else\n');
});
