import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { runCli } from '../../../tests/cli.ts';
import { loggedRecord } from '../../../tests/drift/logged-record.ts';
import { createRandom } from '../../domain/random.ts';
import { BaselineBuilder } from '../baseline/build.ts';
import { type DriftOptions, driftOf } from './run.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 10, 30);

/** A prediction of a table: `shift` is added to its amount. */
function line(
  random: () => number,
  { ms = START_MS, shift = 0, plan = 'gold', version = 1, model = 'credit' },
): object {
  const amount = random() + random() + random() + shift;
  return {
    ...loggedRecord(model, { amount, plan: random() < 0.5 ? plan : 'basic' }),
    time: new Date(ms).toISOString(),
    version,
    class: 'false',
    score: 0.5 + random() / 2,
    outputs: { values: { p: [0.1] }, digests: {} },
  };
}

const linesOf = (count: number, own: (index: number) => Parameters<typeof line>[1], random = createRandom(3)) =>
  Array.from({ length: count }, (_, index) => line(random, own(index)));

async function folderFor(t: TestContext, files: Record<string, readonly object[]>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'drift-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, lines] of Object.entries(files)) {
    await writeFile(path.join(folder, name), lines.map((one) => `${JSON.stringify(one)}\n`).join(''));
  }
  return folder;
}

/** MODELS with a baseline of the same rows as `linesOf` gives without a shift. */
async function modelsFor(t: TestContext): Promise<string> {
  const models = await folderFor(t, {});
  const builder = new BaselineBuilder({ model: 'credit', version: 1 });
  const random = createRandom(5);
  for (let index = 0; index < 2000; index += 1) {
    builder.add({
      features: new Map<string, number | string>([
        ['input.amount', random() + random() + random()],
        ['input.plan', random() < 0.5 ? 'gold' : 'basic'],
      ]),
    });
  }
  await mkdir(path.join(models, 'credit', 'baseline'), { recursive: true });
  await writeFile(path.join(models, 'credit', 'baseline', '1.json'), JSON.stringify(builder.baseline('test rows')));
  return models;
}

const OPTIONS: DriftOptions = { models: '/none', period: {}, minimum: 100, json: false };

const verdictsOf = async (log: readonly string[], options: Partial<DriftOptions>) =>
  (await driftOf(log, { ...OPTIONS, ...options })).versions.map(({ version, verdict, features }) => ({
    version,
    verdict,
    drifted: features.filter((one) => one.verdict === 'drifted').map(({ feature }) => feature),
  }));

test('the same distribution is quiet; a shifted number and another mix of categories are drift of that feature alone', async (t) => {
  const models = await modelsFor(t);
  const log = await folderFor(t, {
    'quiet.jsonl': linesOf(500, () => ({})),
    'number.jsonl': linesOf(500, () => ({ shift: 0.5 })),
    'mix.jsonl': linesOf(500, () => ({ plan: 'silver' })),
  });
  const of = async (name: string) => (await verdictsOf([path.join(log, name)], { models }))[0];
  assert.deepEqual(await of('quiet.jsonl'), { version: 1, verdict: 'quiet', drifted: [] });
  assert.deepEqual(await of('number.jsonl'), { version: 1, verdict: 'drifted', drifted: ['input.amount'] });
  assert.deepEqual(await of('mix.jsonl'), { version: 1, verdict: 'drifted', drifted: ['input.plan'] });
});

test('a baseline is that of each version, of a named version, a file, or an earlier part of the log', async (t) => {
  const models = await modelsFor(t);
  const log = await folderFor(t, {
    'a.jsonl': linesOf(1800, (index) => ({ version: 2, ms: START_MS + index * 20_000, shift: index < 1200 ? 0 : 0.6 })),
  });
  const file = path.join(models, 'credit', 'baseline', '1.json');
  const none = await verdictsOf([log], { models });
  assert.deepEqual(none, [{ version: 2, verdict: 'no baseline', drifted: [] }]);
  const later = new Date(START_MS + 1200 * 20_000).toISOString();
  for (const baseline of ['1', file]) {
    const [found] = await verdictsOf([log], { models, baseline, period: { from: later } });
    assert.deepEqual(found, { version: 2, verdict: 'drifted', drifted: ['input.amount'] }, baseline);
  }
  const [found] = await verdictsOf([log], { baseline: later });
  assert.deepEqual(found, { version: 2, verdict: 'drifted', drifted: ['input.amount'] });
  const [quiet] = await verdictsOf([log], { baseline: '2026-11-30T00:00/2026-11-30T03:20', period: { to: later } });
  assert.deepEqual(quiet, { version: 2, verdict: 'quiet', drifted: [] });
});

test('a feature with few predictions has no verdict, and the log is cut by hours', async (t) => {
  const models = await modelsFor(t);
  const log = await folderFor(t, {
    'a.jsonl': linesOf(240, (index) => ({ ms: START_MS + (index % 24) * HOUR_MS, shift: index % 24 < 12 ? 0 : 2 })),
  });
  const few = await driftOf([log], { ...OPTIONS, models, minimum: 241 });
  assert.deepEqual([few.versions[0]?.verdict, few.versions[0]?.features[0]?.statistics[0]?.value], ['too few', null]);
  const { versions } = await driftOf([log], { ...OPTIONS, models });
  const amount = versions[0]?.features.find(({ feature }) => feature === 'input.amount');
  assert.deepEqual([amount?.periods.length, amount?.periods[0]?.count], [24, 10]);
  assert.deepEqual(
    amount?.periods.filter(({ value }) => value !== null && value > 5).map(({ time }) => time),
    Array.from({ length: 12 }, (_, index) => `2026-11-30T${index + 12}`),
  );
});

test('tensorgate drift exits with 0, 1 and 2, prints a table or JSON, and writes a page that loads nothing', async (t) => {
  const models = await modelsFor(t);
  const evil = '<script>alert(1)</script>';
  const log = await folderFor(t, {
    'quiet.jsonl': linesOf(400, () => ({})),
    'drifted.jsonl': linesOf(400, () => ({ shift: 1 })),
    'evil.jsonl': linesOf(400, () => ({ model: evil, plan: evil })),
  });
  const run = (name: string, ...more: string[]) =>
    runCli(['drift', path.join(log, name), '--models', models, ...more], {});
  const quiet = await run('quiet.jsonl');
  assert.deepEqual([quiet.code, quiet.stderr], [0, '']);
  const page = path.join(log, 'report.html');
  const drifted = await run('drifted.jsonl', '--html', page);
  assert.equal(drifted.code, 1);
  assert.match(drifted.stdout, /^credit +1 +input\.amount +400 +PSI +\d\.\d+ +0\.2 +drifted$/m);
  assert.match(drifted.stdout, /^credit version 1: input\.amount drifted; 400 predictions from 2026-11-30T00/m);
  const html = await readFile(page, 'utf8');
  assert.ok(html.includes('<svg') && html.includes('<title>[') && !/(?:src|href)=|url\(|@import/.test(html));
  const json = await run('drifted.jsonl', '--json');
  assert.equal(JSON.parse(json.stdout).versions[0].features[0].verdict, 'drifted');
  const unknown = await run('evil.jsonl', '--baseline', '2026-12-01', '--since', '2026-11-30', '--html', page);
  assert.equal(unknown.code, 0);
  assert.ok(!(await readFile(page, 'utf8')).includes('<script'));
  assert.equal((await run('quiet.jsonl', '--since', '2026-12-01')).code, 2);
  const wrong = await run('quiet.jsonl', '--baseline', 'nothing.json');
  assert.deepEqual([wrong.code, wrong.stderr.split(';')[0]], [2, '--baseline nothing.json: no such file']);
  assert.match((await run('quiet.jsonl', '--since', 'noon')).stderr, /--since noon: needs a time such as/);
});
