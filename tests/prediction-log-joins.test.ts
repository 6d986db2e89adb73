/** Labels and predictions of several gateways in one folder: every label finds its prediction. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AccuracyReport } from '../gateway/cli/accuracy/report.ts';
import { runCli } from './cli.ts';
import { predict, type RunningGateway, startGateway } from './gateway.ts';
import { floatTensor, startModelServer, XCEPTION } from './model-server.ts';
import { CARD, modelsFolder } from './models.ts';

const COUNT = 10_000;
const ROWS = 100;
const LABELS_AT_ONCE = 500;
const CHURN = 'name: churn\ndecision: {output: p, threshold: 0.5, name: churns}\n';
const COLUMN = { dtype: 'DT_FLOAT', shape: [-1] };

/** A gateway before a model server with this version, which says 0.9 for odd numbers and 0.1 for even ones. */
async function start(t: TestContext, version: number, folder: string): Promise<RunningGateway> {
  const model = await startModelServer({
    ...XCEPTION,
    version,
    models: { churn: { inputs: { number: COLUMN }, outputs: { p: COLUMN } } },
    onPredict({ inputs }) {
      const { tensor_content: content = Buffer.of(), shape = [] } = inputs.number ?? {};
      const numbers = new Float32Array(new Uint8Array(content).buffer);
      const chances = Array.from(numbers, (number) => (number % 2 === 1 ? 0.9 : 0.1));
      return { p: floatTensor(shape, chances) };
    },
  });
  t.after(() => model.close());
  const MODELS = await modelsFolder(t, { 'clothing-model': CARD, churn: CHURN });
  const gateway = await startGateway({ TF_SERVING_HOST: model.target, MODELS, PREDICTION_LOG: folder });
  t.after(() => gateway.process.kill('SIGKILL'));
  await gateway.ready();
  return gateway;
}

const idOf = (number: number) => `customer\u2028${number}`;
/** Every fifth prediction is wrong. */
const labelOf = (number: number) => (number % 2 === 1) !== (number % 5 === 0);
/** Another order of the numbers, the same in each run: 7919 is prime. */
const SHUFFLED = Array.from({ length: COUNT }, (_, index) => (index * 7919) % COUNT);

async function predictAll(gateway: RunningGateway, numbers: readonly number[]): Promise<void> {
  for (let at = 0; at < numbers.length; at += ROWS) {
    const instances = numbers.slice(at, at + ROWS).map((number) => ({ id: idOf(number), number }));
    const answer = await predict(gateway, { instances }, '?model=churn');
    assert.equal(answer.status, 200, await answer.text());
  }
}

async function label({ url }: RunningGateway, numbers: readonly number[], labelIt: (number: number) => boolean) {
  for (let at = 0; at < numbers.length; at += LABELS_AT_ONCE) {
    const labels = numbers
      .slice(at, at + LABELS_AT_ONCE)
      .map((number) => ({ id: idOf(number), label: labelIt(number) }));
    const body = JSON.stringify(labels);
    const answer = await fetch(`${url}/feedback`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
    });
    assert.equal(answer.status, 202, await answer.text());
  }
}

/** A log of two gateways with a version each, and its accuracies. The first one stops, and another follows it. */
async function writeLog(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'prediction-log-'));
  t.after(() => rm(folder, { recursive: true }));
  const isThird = (number: number) => number % 3 === 0;
  const [first, second] = [await start(t, 3, folder), await start(t, 4, folder)];
  // Labels before their predictions, and labels that are corrected later.
  await label(second, SHUFFLED.slice(0, 1000), labelOf);
  await label(first, SHUFFLED.slice(1000, 2000), (number) => !labelOf(number));
  await predictAll(first, SHUFFLED.filter(isThird));
  assert.equal(await first.stop(), 0);
  await predictAll(
    second,
    SHUFFLED.filter((number) => !isThird(number)),
  );
  const third = await start(t, 3, folder);
  const late = SHUFFLED.slice(1000).sort((one, other) => ((one * 31) % COUNT) - ((other * 31) % COUNT));
  await label(third, late, labelOf);
  await label(second, late.slice(0, 1000), labelOf);
  for (const gateway of [second, third]) assert.equal(await gateway.stop(), 0);
  assert.ok((await readdir(folder)).length >= 3);
  return folder;
}

/** By version: predictions with a label, and those that are right. */
const EXPECTED = [3, 4].map((version) => {
  const own = SHUFFLED.filter((number) => (number % 3 === 0 ? 3 : 4) === version);
  const right = own.filter((number) => labelOf(number) === (number % 2 === 1)).length;
  return { version, labelled: own.length, right };
});

const python = process.env.TENSORGATE_DUCKDB_PYTHON ?? 'python3';
const hasDuckdb = spawnSync(python, ['-c', 'import duckdb']).status === 0;

/** What the query of docs/prediction-log.md says. */
async function accuracyByDuckdb(folder: string) {
  const page = await readFile(new URL('../docs/prediction-log.md', import.meta.url), 'utf8');
  const [, query = ''] = /```sql\n(.*?)```/s.exec(page) ?? [];
  const script = 'import duckdb, json, sys; print(json.dumps(duckdb.sql(sys.argv[1]).fetchall()))';
  const sql = query.replace('log/*.jsonl', `${folder}/*.jsonl`);
  assert.notEqual(sql, query);
  const rows = JSON.parse(execFileSync(python, ['-c', script, sql], { encoding: 'utf8' })) as [
    string,
    number,
    number,
    number,
  ][];
  return rows.map(([, version, labelled, accuracy]) => ({ version, labelled, right: Math.round(accuracy * labelled) }));
}

test('10,000 predictions of three gateways, labels shuffled, early, late and corrected: no join is lost', async (t) => {
  const folder = await writeLog(t);
  const { stdout } = await runCli(['accuracy', '--json', folder]);
  const report = JSON.parse(stdout) as AccuracyReport;
  assert.deepEqual(
    report.versions.map(({ version, labelled, correct }) => ({ version, labelled, right: correct })),
    EXPECTED,
  );
  assert.deepEqual([report.labels, report.labelsWithoutPrediction, report.unreadableLines], [COUNT, 0, 0]);
  await t.test(
    'DuckDB says the same',
    {
      skip: !hasDuckdb && 'needs a Python with duckdb: set TENSORGATE_DUCKDB_PYTHON',
    },
    async () => assert.deepEqual(await accuracyByDuckdb(folder), EXPECTED),
  );
});
