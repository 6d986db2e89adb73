/** `tensorgate baseline` and `tensorgate drift`, as processes, with the embedded model server. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createRandom } from '../../gateway/domain/random.ts';
import type { Baseline } from '../../gateway/model/baseline.ts';
import { runCli } from '../cli.ts';
import { loggedRecord } from './logged-record.ts';

const CHURN = fileURLToPath(new URL('../../serving/models/churn', import.meta.url));
const { instances } = JSON.parse(await readFile(path.join(CHURN, 'parity', '1.json'), 'utf8')) as {
  readonly instances: readonly Readonly<Record<string, unknown>>[];
};

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'baseline-'));
  t.after(() => rm(folder, { recursive: true }));
  await cp(CHURN, path.join(folder, 'models', 'churn'), { recursive: true });
  await rm(path.join(folder, 'models', 'churn', 'baseline'), { recursive: true, force: true });
  return folder;
}

/** Customers of the model's own examples, with tenures up to `longest` months. */
function customers(count: number, seed: number, longest: number): object[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => ({
    ...instances[Math.floor(random() * instances.length)],
    tenure: Math.floor(random() * longest),
  }));
}

const linesOf = (records: readonly object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('');

test('a baseline of records by the embedded server; a log of others has drifted from it', async (t) => {
  const folder = await scratch(t);
  const [models, data] = [path.join(folder, 'models'), path.join(folder, 'records.jsonl')];
  await writeFile(data, linesOf([...customers(400, 1, 73), { gender: 'none' }]));
  const run = (...args: string[]) => runCli([...args, '--models', models]);
  const made = await run('baseline', 'churn', '--data', data, '--source', 'customers of a test');
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stderr, /1 of 401 without a prediction: /);
  const file = path.join(models, 'churn', 'baseline', '1.json');
  const baseline = JSON.parse(await readFile(file, 'utf8')) as Baseline;
  assert.deepEqual([baseline.rows, baseline.version, baseline.source], [400, 1, 'customers of a test']);
  const { 'input.tenure': tenure, 'input.gender': gender } = baseline.features;
  assert.ok(tenure?.kind === 'number' && tenure.edges.length === 9);
  assert.ok(gender?.kind === 'category' && gender.counts.female !== undefined);
  assert.equal(baseline.outliers?.distance?.length, 101);

  const again = await run('baseline', 'churn', '--data', data);
  assert.deepEqual([again.code, again.stderr], [2, `${file}: exists; give --replace\n`]);
  const none = await run('baseline', 'nothing', '--data', data);
  assert.match(none.stderr, /nothing\/model.yaml: does not exist/);

  // The same rows as a log, and those of other customers.
  const log = (name: string, records: readonly object[]) =>
    writeFile(path.join(folder, name), linesOf(records.map((record) => loggedRecord('churn', record))));
  await log('same.jsonl', customers(400, 2, 73));
  await log('other.jsonl', customers(400, 3, 20));
  const drift = (name: string) => run('drift', path.join(folder, name), '--json');
  const same = await drift('same.jsonl');
  assert.equal(same.code, 0, same.stdout);
  const other = await drift('other.jsonl');
  assert.equal(other.code, 1);
  const [version] = JSON.parse(other.stdout).versions;
  assert.deepEqual(
    version.features.flatMap((one: { feature: string; verdict: string }) =>
      one.verdict === 'drifted' ? one.feature : [],
    ),
    ['input.tenure'],
  );

  const replaced = await run('baseline', 'churn', '--data', path.join(folder, 'other.jsonl'), '--replace');
  assert.equal(replaced.code, 0, replaced.stderr);
  assert.equal((await drift('other.jsonl')).code, 0);
});
