/** `tensorgate predict`, as a process against a running gateway. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { runCli } from './cli.ts';
import { MAIN, type RunningGateway, startGateway } from './gateway.ts';

const CHURN = new URL('../serving/models/churn/parity/1.json', import.meta.url);
const { instances } = JSON.parse(await readFile(CHURN, 'utf8')) as { readonly instances: readonly object[] };

let gateway: RunningGateway;
let folder: string;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'instances-'));
  gateway = await startGateway();
  await gateway.ready();
});
after(async () => {
  await rm(folder, { recursive: true });
  assert.equal(await gateway.stop(), 0);
});

async function run(text: string, ...args: readonly string[]) {
  const file = path.join(folder, 'instances.json');
  await writeFile(file, text);
  return runCli(['predict', '--json-instances', file, '--url', gateway.url, ...args]);
}

test('one JSON value a line: a prediction for each, in order', async () => {
  const lines = instances.map((instance) => JSON.stringify(instance)).join('\n');
  const { code, stdout, stderr } = await run(`${lines}\n\n`, '--model', 'churn', '--model-version', '1');
  assert.deepEqual([code, stderr], [0, '']);
  const { predictions } = JSON.parse(stdout) as { predictions: readonly { churn_probability: number }[] };
  assert.equal(predictions.length, instances.length);
  assert.ok(Math.abs((predictions[0]?.churn_probability ?? 0) - 0.3627516748151028) < 1e-6);
});

test('an error of the gateway is printed, and the exit code is 1', async () => {
  const { code, stdout, stderr } = await run('{"tenure": 1}', '--model', 'churn');
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^400 \{.*instances\[0\]\.gender: is missing/);
});

test('a line that is no JSON, and a file without lines, are refused by name before anything is sent', async () => {
  const wrong = await run('{"tenure": 1}\n{tenure: 2}\n');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /instances\.json:2: needs one JSON value a line\n$/);
  const empty = await run('\n');
  assert.equal(empty.code, 2);
  assert.match(empty.stderr, /has no instances/);
});

test('a file, an address and a gateway that are not there are named', async () => {
  const noFile = await runCli(['predict', '--json-instances', path.join(folder, 'none')]);
  assert.equal(noFile.code, 2);
  assert.match(noFile.stderr, /none: cannot be read \(ENOENT\)/);
  assert.equal((await run('1', '--url', 'localhost:9696')).code, 2);
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const url = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
  await promisify(closed.close.bind(closed))();
  const noGateway = await run('1', '--url', url);
  assert.deepEqual([noGateway.code, noGateway.stderr], [1, `${url}: no gateway answers there (ECONNREFUSED)\n`]);
});

const PHOTO = fileURLToPath(new URL('golden/images/jpg-420.jpg', import.meta.url));
const ask = (...args: readonly string[]) => runCli(['predict', ...args, '--url', gateway.url]);

/** The lines that predict prints when it is piped. */
const rowsOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('pictures have a line each, in the order of the arguments, and a broken one makes the exit code 1', async () => {
  const broken = path.join(folder, 'broken.png');
  await writeFile(broken, 'no picture');
  const { code, stdout, stderr } = await ask(PHOTO, broken, PHOTO, '--scores', 'probabilities');
  assert.deepEqual([code, stderr], [1, '']);
  const [first, second, third] = rowsOf(stdout);
  assert.deepEqual([first.input, second.input, third.input], [PHOTO, broken, PHOTO]);
  assert.equal(second.error.kind, 'image_unreadable');
  assert.deepEqual(third.prediction, first.prediction);
  const sum = Object.values(first.prediction as Record<string, number>).reduce((one, other) => one + other, 0);
  assert.ok(Math.abs(sum - 1) < 1e-3);
});

test('a JSON file has one record, a list, or instances', async () => {
  const [record] = instances;
  const file = path.join(folder, 'record.json');
  const answers: unknown[] = [];
  for (const content of [record, [record], { instances: [record] }]) {
    await writeFile(file, JSON.stringify(content));
    const { code, stdout } = await ask(file, '--model', 'churn');
    assert.equal(code, 0);
    answers.push(...rowsOf(stdout).map(({ prediction }) => prediction));
  }
  assert.equal(answers.length, 3);
  assert.deepEqual(answers[1], answers[0]);
  assert.deepEqual(answers[2], answers[0]);
});

test('the URL of a picture goes to the gateway, whose refusal is printed', async () => {
  const { code, stdout } = await ask('http://127.0.0.1:1/a.jpg');
  assert.equal(code, 1);
  assert.equal(rowsOf(stdout)[0].error.kind, 'source_forbidden');
});

test('arguments that cannot be predicted are named', async () => {
  for (const [args, message] of [
    [[folder], /is a folder; tensorgate batch predicts whole folders/],
    [[path.join(folder, 'none.jpg')], /none\.jpg: no such file/],
    [[], /needs pictures, URLs or \.json files/],
  ] as const) {
    const { code, stderr } = await ask(...args);
    assert.equal(code, 2);
    assert.match(stderr, message);
  }
  const { code, stderr } = await ask(PHOTO, '--model', 'none');
  assert.equal(code, 1);
  assert.match(stderr, /^404 model_not_found: /);
});

/** Why tests of a terminal are skipped: `script` of util-linux is what makes one here. */
const NO_TERMINAL =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') !== true &&
  'needs script of util-linux';

/** What predict prints on a terminal with colours, whatever CI and TERM say here. */
async function onTerminal(environment: Record<string, string>, ...args: readonly string[]) {
  const command = [process.execPath, MAIN, 'predict', ...args, '--url', gateway.url].join(' ');
  const env = { PATH: process.env.PATH, TERM: 'xterm-256color', ...environment };
  const { stdout } = await promisify(execFile)('script', ['-qec', command, '/dev/null'], { env });
  return stdout.replaceAll('\r', '');
}

test('a terminal gets probabilities as bars, and colours unless NO_COLOR is set', { skip: NO_TERMINAL }, async () => {
  const plain = await onTerminal({ NO_COLOR: '1' }, PHOTO, '--top', '3');
  assert.match(plain, /^.*jpg-420\.jpg\n( {2}[\w-]+ +\d+\.\d %( {2}[█▏▎▍▌▋▊▉]+)?\n){3}$/);
  const coloured = await onTerminal({ NO_COLOR: '' }, PHOTO, '--top', '3');
  assert.equal(stripVTControlCharacters(coloured), plain);
  assert.notEqual(coloured, plain);
  const raw = await onTerminal({ NO_COLOR: '1' }, PHOTO, '--scores', 'raw', '--top', '10');
  assert.match(raw, /\n {2}[\w-]+ +-\d+\.\d{3}/);
  assert.doesNotMatch(raw, /%/);
});
