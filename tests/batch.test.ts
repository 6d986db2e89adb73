/** `tensorgate batch`, as a process against real gateways: kills, a model server that is down, shards, and all forms. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { parquetWriteFile } from 'hyparquet-writer';
import type { Row } from '../gateway/cli/batch/row.ts';
import { runCli } from './cli.ts';
import { MAIN, type RunningGateway, startGateway, startGatewayFor } from './gateway.ts';
import { EQUAL_SCORES, isWarmUp, type ModelServer, startClothingModel } from './model-server.ts';
import { modelsFolder } from './models.ts';
import { until } from './until.ts';

const CHURN = new URL('../serving/models/churn/parity/1.json', import.meta.url);
const { instances } = JSON.parse(await readFile(CHURN, 'utf8')) as { readonly instances: readonly object[] };
const PHOTO = new URL('golden/images/jpg-420.jpg', import.meta.url);

let gateway: RunningGateway;
let folder: string;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'batch-'));
  gateway = await startGateway();
  await gateway.ready();
});
after(async () => {
  await rm(folder, { recursive: true });
  assert.equal(await gateway.stop(), 0);
});

const inFolder = (name: string) => path.join(folder, name);

/** Records that differ in tenure. */
const records = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ ...instances[index % instances.length], tenure: index % 73 }));

async function writeRecords(name: string, items: readonly object[]): Promise<string> {
  await writeFile(inFolder(name), items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  return inFolder(name);
}

async function rowsOf(file: string): Promise<Row[]> {
  const text = await readFile(file, 'utf8');
  assert.ok(text.endsWith('\n'));
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const churn = (input: string, output: string, ...more: readonly string[]) => [
  'batch',
  input,
  '--output',
  output,
  '--gateway',
  gateway.url,
  '--model',
  'churn',
  ...more,
];

async function finish(args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { code, stdout, stderr } = await runCli(args);
  assert.equal(code, 0, stderr);
  return { stdout, stderr };
}

/** Kills the batch once its journal has grown by some bytes. False if it ended before. */
async function killWhileItWrites(args: readonly string[], journal: string, growth: number): Promise<boolean> {
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...args], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const size = () => (existsSync(journal) ? statSync(journal).size : 0);
  const wanted = size() + growth;
  await until(() => size() >= wanted || child.exitCode !== null, 60_000);
  child.kill('SIGKILL');
  await exited;
  return child.signalCode === 'SIGKILL';
}

test('after three kills at random moments every record is in the output once, in order, as without a kill', async () => {
  const input = await writeRecords('kills.ndjson', records(3000));
  const whole = inFolder('whole.ndjson');
  await finish(churn(input, whole));
  const killed = inFolder('killed.ndjson');
  for (let kill = 0; kill < 3; kill += 1) {
    const growth = 1000 + Math.floor(Math.random() * 30_000);
    // One record a request and two at once: the kill finds requests in flight.
    const args = churn(input, killed, '--batch-size', '1', '--concurrency', '2');
    assert.ok(await killWhileItWrites(args, `${killed}.journal`, growth), `kill ${kill} after ${growth} bytes`);
    assert.ok(!existsSync(killed));
  }
  const { stderr } = await finish(churn(input, killed));
  assert.match(stderr, /goes on: [\d,]+ of 3,000 are done/);
  assert.equal(await readFile(killed, 'utf8'), await readFile(whole, 'utf8'));
  assert.deepEqual(
    (await rowsOf(killed)).map(({ index }) => index),
    [...Array(3000).keys()],
  );
  assert.ok(!existsSync(`${killed}.journal`));
});

test('three shards are together the whole', async () => {
  const input = await writeRecords('shards.ndjson', records(100));
  await finish(churn(input, inFolder('all.ndjson')));
  const parts = await Promise.all(
    [0, 1, 2].map(async (shard) => {
      const part = inFolder(`part-${shard}.ndjson`);
      await finish(churn(input, part, '--shard', `${shard}/3`));
      return rowsOf(part);
    }),
  );
  const joined = parts.flat().sort((one, other) => one.index - other.index);
  assert.deepEqual(joined, await rowsOf(inFolder('all.ndjson')));
});

test('CSV, Parquet and NDJSON of the same records have the same predictions, in every form of output', async () => {
  const items = records(40);
  const ndjson = await writeRecords('forms.ndjson', items);
  const names = Object.keys(items[0] ?? {});
  const cells = items.map((item) => Object.values(item));
  const csv = inFolder('forms.csv');
  await writeFile(csv, [names, ...cells].map((row) => row.map((cell) => `"${cell}"`).join(',')).join('\r\n'));
  const parquet = inFolder('forms.parquet');
  const columnData = names.map((name, at) => ({ name, data: cells.map((row) => row[at]) }));
  parquetWriteFile({ filename: parquet, columnData, rowGroupSize: 16 });
  await finish(churn(ndjson, inFolder('from.ndjson')));
  const rows = await rowsOf(inFolder('from.ndjson'));
  for (const input of [csv, parquet]) {
    const output = `${input}.out.ndjson`;
    await finish(churn(input, output));
    assert.deepEqual(await rowsOf(output), rows, input);
  }
  await finish(churn(csv, inFolder('to.parquet')));
  const read = await parquetReadObjects({ file: await asyncBufferFromFile(inFolder('to.parquet')) });
  await finish(churn(csv, inFolder('to.csv')));
  const lines = (await readFile(inFolder('to.csv'), 'utf8')).trimEnd().split('\n');
  assert.equal(lines[0], 'index,prediction.churn_probability,prediction.churn');
  for (const [index, { prediction }] of rows.entries()) {
    const { churn_probability: p, churn: yes } = prediction as Readonly<Record<string, unknown>>;
    assert.deepEqual(read[index], { index, 'prediction.churn_probability': p, 'prediction.churn': yes });
    assert.equal(lines[index + 1], `${index},${p},${yes}`);
  }
});

test('a wrong record and a wrong picture have their error in the output, and all others their prediction', async () => {
  const items: object[] = records(20);
  items[7] = { tenure: 1 };
  const input = await writeRecords('wrong.ndjson', items);
  const { stdout } = await finish(churn(input, inFolder('wrong.out.ndjson'), '--json'));
  const { predicted, errors } = JSON.parse(stdout);
  assert.deepEqual([predicted, errors], [19, { invalid_request: 1 }]);
  const rows = await rowsOf(inFolder('wrong.out.ndjson'));
  assert.match(rows[7]?.error?.detail ?? '', /gender: is missing/);

  const photos = inFolder('photos');
  await mkdir(path.join(photos, 'more'), { recursive: true });
  await copyFile(PHOTO, path.join(photos, 'b.jpg'));
  await copyFile(PHOTO, path.join(photos, 'more', 'a.JPG'));
  await writeFile(path.join(photos, 'c.png'), 'no picture');
  await writeFile(path.join(photos, 'notes.md'), 'is left out');
  // Without --gateway: one is started for the command.
  const { stdout: text } = await finish(['batch', photos, '-o', inFolder('photos.ndjson')]);
  const [first, second, third, ...none] = await rowsOf(inFolder('photos.ndjson'));
  assert.deepEqual([first?.input, second?.input, third?.input, none.length], ['b.jpg', 'c.png', 'more/a.JPG', 0]);
  assert.equal(second?.error?.kind, 'image_unreadable');
  assert.deepEqual(third?.prediction, first?.prediction);
  assert.match(text, /2 predicted, 1 errors.*classes.*errors\n +1 {2}image_unreadable/s);
});

test('a batch waits for a model server that is down, and goes on', async (t) => {
  let server: ModelServer | undefined;
  let predicted = 0;
  const down = Promise.withResolvers<void>();
  const onPredict: Parameters<typeof startClothingModel>[0] = (call) => {
    if (isWarmUp(call)) return EQUAL_SCORES;
    predicted += 1;
    if (predicted === 20) down.resolve();
    return EQUAL_SCORES;
  };
  server = await startClothingModel(onPredict);
  t.after(() => server?.close());
  const { target } = server;
  const models = await modelsFolder(t);
  const own = await startGatewayFor(t, { TF_SERVING_HOST: target, MODELS: models });
  await own.ready();
  const photos = inFolder('waiting');
  await mkdir(photos);
  await Promise.all(Array.from({ length: 60 }, (_, index) => copyFile(PHOTO, path.join(photos, `${index}.jpg`))));
  const output = inFolder('waiting.ndjson');
  const batch = finish(['batch', photos, '-o', output, '--gateway', own.url, '--concurrency', '2']);
  await down.promise;
  server.close();
  const refused = () => own.log.filter(({ status }) => Number(status) >= 500).length;
  await until(() => refused() >= 3, 60_000);
  assert.ok(!existsSync(output));
  const { startModelServer, XCEPTION } = await import('./model-server.ts');
  server = await startModelServer({ ...XCEPTION, names: ['clothing-model'], onPredict }, Number(target.split(':')[1]));
  await batch;
  const rows = await rowsOf(output);
  assert.deepEqual(
    rows.map(({ index, error }) => [index, error]),
    Array.from({ length: 60 }, (_, index) => [index, undefined]),
  );
});

test('wrong inputs, outputs and arguments are refused by name before anything is sent', async () => {
  const input = await writeRecords('refused.ndjson', records(3));
  const output = inFolder('refused.out.ndjson');
  for (const [args, message] of [
    [churn(inFolder('none.csv'), output), /none\.csv: no such file or folder; INPUT is a folder, a glob/],
    [churn(input, inFolder('out.xml')), /--output .*out\.xml: needs a file with \.ndjson/],
    [churn(input, input), /exists already; remove it, or name another file/],
    [churn(input, output, '--shard', '3/3'), /--shard 3\/3: needs i\/n/],
    [churn(input, output, '--model', 'chrun'), /--model chrun: the gateway has churn, /],
    [churn(await writeRecords('empty.ndjson', []), output), /has nothing to predict/],
  ] as const) {
    const { code, stderr } = await runCli(args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
  await writeFile(inFolder('broken.ndjson'), '{"tenure": 1}\n{tenure: 2}\n');
  const broken = await runCli(churn(inFolder('broken.ndjson'), output));
  assert.match(broken.stderr, /broken\.ndjson:2: needs one JSON value a line/);
  assert.equal((await runCli(['batch', input, '-o', output, '--gateway', 'http://127.0.0.1:1'])).code, 1);
  assert.ok(!existsSync(output));
});
