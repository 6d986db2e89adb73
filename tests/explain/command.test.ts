/** `tensorgate explain`, as a process against a gateway with the committed models. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { runCli } from '../cli.ts';
import { type RunningGateway, startGateway } from '../gateway.ts';

const PHOTO = fileURLToPath(new URL('../golden/images/jpg-420.jpg', import.meta.url));
const RECORD = { job: 'student', duration: 280, poutcome: 'failure' };

let gateway: RunningGateway;
let folder: string;
let record: string;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'explain-'));
  record = path.join(folder, 'record.json');
  await writeFile(record, JSON.stringify(RECORD));
  // One explanation of a photo takes some seconds, and the machine may be busy.
  gateway = await startGateway({ REQUEST_TIMEOUT: '120s' });
  await gateway.ready();
});
after(async () => {
  await rm(folder, { recursive: true });
  assert.equal(await gateway.stop(), 0);
});

const run = (what: string, ...args: readonly string[]) => runCli(['explain', what, '--url', gateway.url, ...args]);

test('a record: the JSON of its explanation', async () => {
  const { code, stdout, stderr } = await run(record, '--model', 'credit', '--budget', '300');
  assert.deepEqual([code, stderr], [0, '']);
  const { method, target, attributions, completeness, calls } = JSON.parse(stdout);
  assert.deepEqual([method, target, completeness.holds], ['shapley', 'credit_probability', true]);
  assert.deepEqual(Object.keys(attributions).sort(), ['duration', 'job', 'poutcome']);
  assert.ok(calls <= 300);
});

test('a photo: its heat map in a file', async () => {
  const file = path.join(folder, 'heat.png');
  const { code, stderr } = await run(
    PHOTO,
    '--model',
    'clothing-model',
    '--method',
    'occlusion',
    '--budget',
    '6',
    '-o',
    file,
  );
  assert.deepEqual([code, stderr], [0, `${file}: written\n`]);
  const { format, width } = await sharp(await readFile(file)).metadata();
  assert.deepEqual([format, width], ['png', 640]);
});

test('what cannot be explained: wrong use ends with 2, an error of the gateway with 1', async () => {
  const map = await run(record, '-o', path.join(folder, 'no.png'));
  assert.deepEqual([map.code, map.stderr], [2, `--output: only pictures have a heat map; ${record} is a record\n`]);
  const target = await run(record, '--model', 'credit', '--target', 'nothing');
  assert.equal(target.code, 1);
  assert.match(target.stderr, /^400 query explain\.target: nothing is no number of the answer; known are /);
  const unreachable = await runCli(['explain', record, '--url', 'http://127.0.0.1:1']);
  assert.equal(unreachable.code, 1);
  assert.match(unreachable.stderr, /no gateway answers there/);
  const two = path.join(folder, 'two.json');
  await writeFile(two, JSON.stringify([RECORD, RECORD]));
  assert.equal((await run(two)).code, 2);
});
