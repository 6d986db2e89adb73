import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { runCli } from '../../../tests/cli.ts';
import { createRandom } from '../../domain/random.ts';
import { readLog } from './read-log.ts';
import { type AccuracyReport, reportOf, textOf } from './report.ts';

const CLASSES = ['cat', 'dog', 'bird'];
const classOf = (number: number) => CLASSES[number % 3] ?? '';
const timeOf = (second: number) => new Date(Date.UTC(2026, 10, 30) + second * 1000).toISOString();

async function folderFor(t: TestContext, files: Record<string, readonly object[]>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'accuracy-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, lines] of Object.entries(files)) {
    await writeFile(path.join(folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
  return folder;
}

const prediction = (id: string, own: object = {}) => ({
  kind: 'prediction',
  schema: 1,
  time: timeOf(0),
  id,
  model: 'pets',
  version: 1,
  class: 'cat',
  score: 0.9,
  ...own,
});
const feedback = (id: string, label: string, second = 0) => ({
  kind: 'feedback',
  schema: 1,
  time: timeOf(second),
  id,
  label,
});

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other] as Item, mixed[last] as Item];
  }
  return mixed;
}

test('10,000 predictions and their labels, shuffled, late and corrected, in several files: no join is lost', async (t) => {
  const random = createRandom(7);
  const cases = Array.from({ length: 10_000 }, (_, index) => {
    const version = 1 + Math.floor(random() * 3);
    return {
      id: `request-${index}`,
      version,
      predicted: classOf(index),
      label: classOf(index + Number(random() < 0.2)),
    };
  });
  const predictions = cases.map(({ id, version, predicted }) => prediction(id, { version, class: predicted }));
  const labels = cases.flatMap(({ id, label }, index) => [
    feedback(id, label, 7200 + index),
    // A wrong label before the right one, for every tenth.
    ...(index % 10 === 0 ? [feedback(id, 'unsure', 3600)] : []),
  ]);
  const lines = shuffled([...predictions, ...labels], random);
  const part = (index: number) => lines.filter((_, line) => line % 4 === index);
  const folder = await folderFor(t, {
    '1.jsonl': part(0),
    '2.jsonl': part(1),
    '3.jsonl': part(2),
    '4.jsonl.part': part(3),
  });
  const report = reportOf(await readLog([folder]));
  assert.deepEqual(
    report.versions.map(({ version, predictions: all, labelled, correct, confusion }) => ({
      version,
      all,
      labelled,
      correct,
      confused: confusion.reduce((sum, { count }) => sum + count, 0),
    })),
    [1, 2, 3].map((version) => {
      const own = cases.filter((one) => one.version === version);
      const correct = own.filter(({ predicted, label }) => predicted === label).length;
      return { version, all: own.length, labelled: own.length, correct, confused: own.length };
    }),
  );
  assert.deepEqual([report.labels, report.labelsWithoutPrediction, report.unreadableLines], [10_000, 0, 0]);
});

test('a label is that of all predictions with its id; of two labels the last counts, wherever it is', async (t) => {
  const folder = await folderFor(t, {
    'a.jsonl': [feedback('x', 'dog', 20), prediction('x'), prediction('y')],
    'b.jsonl': [prediction('x', { version: 2, class: 'dog' }), feedback('x', 'cat', 10), feedback('z', 'cat')],
  });
  const { versions, labelsWithoutPrediction } = reportOf(await readLog([folder]));
  assert.deepEqual(
    versions.map(({ version, predictions, labelled, correct, accuracy }) => [
      version,
      predictions,
      labelled,
      correct,
      accuracy,
    ]),
    [
      [1, 2, 1, 0, 0],
      [2, 1, 1, 1, 1],
    ],
  );
  assert.equal(labelsWithoutPrediction, 1);
});

test('other lines are skipped, half lines and unknown schemas are counted, predictions without a class have no accuracy', async (t) => {
  const folder = await folderFor(t, {
    'log.jsonl': [
      { level: 'info', msg: 'answered "prediction"' },
      prediction('a', { schema: 2 }),
      prediction('b', { class: null, score: null }),
      feedback('b', '3.5'),
    ],
  });
  await writeFile(path.join(folder, 'cut.jsonl'), '{"kind":"feedback","schema":1,"id":"fee');
  const report = reportOf(await readLog([path.join(folder, 'log.jsonl'), path.join(folder, 'cut.jsonl')]));
  assert.deepEqual([report.unreadableLines, report.labelsWithoutPrediction], [2, 0]);
  assert.deepEqual([report.versions[0]?.labelled, report.versions[0]?.accuracy], [0, null]);
});

test('classes and labels may have any name, and do not control the terminal', async (t) => {
  const names = ['__proto__', 'constructor', '\u001b[31m\u202e', 'x'.repeat(500), 'a\u2028b\u2029c\r\n'];
  const lines = names.flatMap((name, index) => [prediction(`${index}`, { class: name }), feedback(`${index}`, name)]);
  const report = reportOf(await readLog([await folderFor(t, { 'a.jsonl': lines })]));
  assert.deepEqual(
    report.versions[0]?.confusion.map(({ label, predicted, count }) => [label === predicted, count]),
    names.map(() => [true, 1]),
  );
  const text = textOf(report);
  for (const part of ['\u001b', '\u202e', 'x'.repeat(41)]) assert.ok(!text.includes(part));
});

test('tensorgate accuracy prints a table, or JSON; a path that does not exist is wrong usage', async (t) => {
  const folder = await folderFor(t, {
    'a.jsonl': [prediction('a'), feedback('a', 'cat'), prediction('b'), feedback('b', 'dog')],
  });
  const { stdout } = await runCli(['accuracy', folder]);
  assert.match(stdout, /^pets +1 +2 +2 +50\.0 % +9\.5 % to 90\.5 % +0\.400$/m);
  assert.match(stdout, /^dog +1 +0$/m);
  assert.match(stdout, /^0\.9 to 1\.0 +2 +90\.0 % +50\.0 %$/m);
  const json = JSON.parse((await runCli(['accuracy', '--json', folder])).stdout) as AccuracyReport;
  assert.equal(json.versions[0]?.accuracy, 0.5);
  const wrong = await runCli(['accuracy', path.join(folder, 'none')]);
  assert.deepEqual([wrong.code, wrong.stderr], [2, `${path.join(folder, 'none')}: no such file or folder\n`]);
});
