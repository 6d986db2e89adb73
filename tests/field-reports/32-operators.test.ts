/** What operators read: metrics, the log, the list of models, the version. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, before, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { runCli } from '../cli.ts';
import { MAIN, predictImage, type RunningGateway, startGateway } from '../gateway.ts';
import { options, runTool } from '../kubernetes/tools.ts';
import { EQUAL_SCORES, type ModelServer, startModelServer, XCEPTION } from '../model-server.ts';
import { CARD, CLASSES, modelsFolder } from '../models.ts';
import { exchange } from '../raw.ts';

const VERSION = 1_700_000_000;
const photo = await readFile(new URL('../golden/images/jpg-8x8.jpg', import.meta.url));

let model: ModelServer;
let gateway: RunningGateway;

before(async (t) => {
  model = await startModelServer({ ...XCEPTION, version: VERSION, onPredict: () => EQUAL_SCORES });
  const cards = { 'clothing-model': CARD, rows: 'name: rows\n', wrong: 'name: wrong\nimag: 1\n' };
  const MODELS = await modelsFolder(t as TestContext, cards);
  gateway = await startGateway({ TF_SERVING_HOST: model.target, MODELS, READY_WHEN: 'any' });
  await gateway.ready();
});

after(async () => {
  const code = await gateway.stop();
  model.close();
  assert.equal(code, 0);
});

test('F32: only counters have the suffix _total', async () => {
  const types = [...(await gateway.metrics()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  assert.ok(types.length > 20);
  for (const [, name = '', type] of types) assert.equal(name.endsWith('_total'), type === 'counter', name);
});

test('F32: docs/metrics.md has the type of each metric', async () => {
  const page = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const types = [...(await gateway.metrics()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  const missing = types.filter(([, name, type]) => !page.includes(`| \`${name}\` | ${type} |`));
  assert.deepEqual(missing, []);
});

test('F32: promtool finds nothing in the metrics', options, async () => {
  const { code, stdout, stderr } = await runTool('promtool', ['check', 'metrics'], { input: await gateway.metrics() });
  assert.deepEqual([code, stdout, stderr], [0, '', '']);
});

test('F32: the line of a request has the client, the model and the version', async () => {
  const scored = await predictImage(gateway, photo);
  const unreadable = await predictImage(gateway, Buffer.from('hello'));
  for (const { headers, status } of [scored, unreadable]) {
    const [line] = await gateway.linesOf(headers.get('x-request-id'));
    const { client, model: name, version } = line ?? {};
    assert.deepEqual([client, name, version], ['127.0.0.1', 'clothing-model', VERSION], `status ${status}`);
  }
  const answer = await exchange(gateway, 'hello\r\n\r\n');
  const [line] = await gateway.linesOf(/X-Request-Id: (\S+)/.exec(answer)?.[1]);
  assert.equal(line?.client, '127.0.0.1');
});

test('F32: GET /models has the classes or the signature, the versions and the state of each model', async () => {
  const response = await fetch(`${gateway.url}/models`);
  const { models } = (await response.json()) as { models: { name: string; problem?: string }[] };
  const versions = [{ version: VERSION, state: 'AVAILABLE' }];
  const known = { ready: true, version: VERSION, parity: 'unproven', versions };
  const signature = {
    inputs: [{ name: 'input_8', dtype: 'DT_FLOAT', shape: [-1, 299, 299, 3] }],
    outputs: [{ name: 'dense_7', dtype: 'DT_FLOAT', shape: [-1, 10] }],
  };
  const byName = Object.fromEntries(models.map(({ name, ...rest }) => [name, rest]));
  assert.deepEqual(byName['clothing-model'], { ...known, takes: 'images', classes: CLASSES, scores: 'logits' });
  assert.deepEqual(byName.rows, { ...known, takes: 'tensors', signature });
  const { problem, ...wrong } = byName.wrong ?? {};
  assert.match(problem ?? '', /model\.yaml/);
  assert.deepEqual(wrong, { ready: false, versions: [] });
});

test('F32: --version prints the version of package.json', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  const { code, stdout } = await runCli(['--version']);
  assert.deepEqual([code, stdout.trim()], [0, version]);
});

test('F32: on a terminal the log is readable', async (t) => {
  const command = `TF_SERVING_HOST=127.0.0.1:1 HOST=127.0.0.1 PORT=0 ADMIN_PORT=0 timeout 3 ${process.execPath} ${MAIN} serve`;
  // script(1) gives the command a terminal.
  const run = promisify(execFile)('script', ['-qec', command, '/dev/null']).catch((error) => error);
  const { code, stdout } = (await run) as { code: unknown; stdout?: string };
  if (code === 'ENOENT') return t.skip('script (util-linux) is not installed');
  assert.match(stdout ?? '', /INFO.*listening.*"port":\d+/);
  assert.doesNotMatch(stdout ?? '', /^\{"level"/m);
});
