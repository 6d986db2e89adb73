/** Where the prediction log cannot be written: no request fails, lines are counted, trouble is told once, and ends by itself. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { lineSchema } from '../gateway/observe/prediction-log/schema.ts';
import { MAIN, predict, type RunningGateway, startGateway } from './gateway.ts';
import { floatTensor, type ModelServer, startModelServer, XCEPTION } from './model-server.ts';
import { CARD, modelsFolder } from './models.ts';
import { until } from './until.ts';

/** Runs a command where the folder is a file system of its own, which only this command sees. */
const mounted = (folder: string, options: string) => [
  ...['unshare', '--map-root-user', '--mount', 'sh', '-c'],
  ...[`mount -t tmpfs -o ${options} none "$0" && exec "$@"`, folder],
];
const [program = '', ...probe] = [...mounted('/mnt', 'size=64k'), 'true'];
const skip =
  spawnSync(program, probe).status !== 0 && 'this machine does not allow a mount namespace (unshare --mount)';

const RECORD = { tenure: 24 };
const COLUMN = { dtype: 'DT_FLOAT', shape: [-1] };

let model: ModelServer;
let settings: Record<string, string>;

before(async (t) => {
  model = await startModelServer({
    ...XCEPTION,
    version: 3,
    models: { churn: { inputs: { tenure: COLUMN }, outputs: { p: COLUMN } } },
    onPredict: () => ({ p: floatTensor([1], [0.5]) }),
  });
  const models = await modelsFolder(t as TestContext, { 'clothing-model': CARD, churn: 'name: churn\n' });
  settings = { TF_SERVING_HOST: model.target, MODELS: models };
});

after(() => model.close());

type Log = { readonly PREDICTION_LOG: string };

async function start(t: TestContext, log: Log, within: readonly string[] = []): Promise<RunningGateway> {
  const gateway = await startGateway({ ...settings, ...log }, undefined, [], within);
  t.after(() => gateway.process.kill('SIGKILL'));
  await gateway.ready();
  return gateway;
}

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'prediction-log-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** Sends requests one after the other. Each has to be answered as if there were no log. */
async function send(gateway: RunningGateway, count: number): Promise<void> {
  for (let request = 0; request < count; request += 1) {
    const answer = await predict(gateway, RECORD, '?model=churn');
    assert.equal(answer.status, 200, await answer.text());
  }
}

/** What became of the lines so far. */
async function outcomes(gateway: RunningGateway) {
  const text = await gateway.metrics();
  const count = (outcome: string) =>
    Number(new RegExp(`^tensorgate_prediction_log_lines_total\\{outcome="${outcome}"\\} (\\d+)`, 'm').exec(text)?.[1]);
  return { written: count('written'), full: count('buffer_full'), failed: count('write_failed') };
}

async function settled(gateway: RunningGateway, sent: number) {
  await until(async () => {
    const { written, full, failed } = await outcomes(gateway);
    return written + full + failed === sent;
  });
  return outcomes(gateway);
}

const told = ({ log }: RunningGateway) =>
  log.map(({ msg }) => String(msg)).filter((msg) => msg.startsWith('the prediction log'));

const FAILS = 'the prediction log cannot be written: its lines are dropped until it can';
const WORKS = 'the prediction log is written again';

test('a full disk: lines are lost and counted until there is room again', { skip }, async (t) => {
  const folder = await folderFor(t);
  const gateway = await start(t, { PREDICTION_LOG: folder }, mounted(folder, 'size=64k'));
  const inside = `/proc/${gateway.process.pid}/root${folder}`;
  const linesThere = async () => {
    const texts = await Promise.all((await readdir(inside)).map((name) => readFile(path.join(inside, name), 'utf8')));
    return texts.flatMap((text) => text.split('\n').slice(0, -1));
  };
  const filler = path.join(inside, 'filler');
  await assert.rejects(writeFile(filler, Buffer.alloc(2 ** 17)), { code: 'ENOSPC' });
  for (let sent = 20; sent <= 60; sent += 20) {
    await send(gateway, 20);
    assert.deepEqual(await settled(gateway, sent), { written: 0, full: 0, failed: sent });
  }
  assert.deepEqual(told(gateway), [FAILS]);
  assert.deepEqual(await readdir(inside), ['filler']);

  await rm(filler);
  await send(gateway, 10);
  assert.deepEqual(await settled(gateway, 70), { written: 10, full: 0, failed: 60 });
  assert.deepEqual(told(gateway), [FAILS, WORKS]);

  // Until the lines have filled the disk themselves: no half line stays.
  let sent = 70;
  for (let { failed } = await outcomes(gateway); failed === 60; { failed } = await settled(gateway, sent)) {
    await send(gateway, 50);
    sent += 50;
  }
  const { written, failed } = await outcomes(gateway);
  t.diagnostic(`came: ${written} lines written and ${failed} lost on a disk of 64 KiB`);
  const lines = await linesThere();
  assert.equal(lines.length, written);
  for (const line of lines) lineSchema.parse(JSON.parse(line));
  assert.equal(await gateway.stop(), 0);
});

test('a folder that is read-only is refused at the start', { skip }, async (t) => {
  const folder = await folderFor(t);
  const command = [...mounted(folder, 'ro'), process.execPath, MAIN, 'serve'];
  const [unshare = '', ...args] = command;
  const env = { ...process.env, ...settings, PREDICTION_LOG: folder };
  const { status, stdout, stderr } = spawnSync(unshare, args, { env, encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(`${stdout}${stderr}`, /PREDICTION_LOG.*(EROFS|read-only)/);
});

test('a folder that is deleted while the gateway runs is made again', async (t) => {
  const folder = path.join(await folderFor(t), 'log');
  const gateway = await start(t, { PREDICTION_LOG: folder });
  await send(gateway, 5);
  await settled(gateway, 5);
  await rm(folder, { recursive: true });
  await send(gateway, 5);
  assert.deepEqual(await settled(gateway, 10), { written: 10, full: 0, failed: 0 });
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(path.join(folder, name), 'utf8')));
  assert.equal(texts.join('').split('\n').length - 1, 5);
  assert.equal(await gateway.stop(), 0);
});

test('stdout that is closed costs no request, and its lines are counted as lost', async (t) => {
  const gateway = await start(t, { PREDICTION_LOG: 'stdout' });
  gateway.process.stdout?.destroy();
  await send(gateway, 5);
  const { failed, full } = await settled(gateway, 5);
  assert.ok(failed > 0 && full === 0, `${failed}`);
  await send(gateway, 5);
  assert.equal((await settled(gateway, 10)).failed, failed + 5);
  assert.equal(await gateway.stop(), 0);
});

/** A collector that answers as it is told to. */
async function startCollector(t: TestContext, answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => answer(response));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  return `http://user:hunter2@127.0.0.1:${(server.address() as AddressInfo).port}/events?token=hunter2`;
}

test('a collector that fails, asks to wait or is slow: lines wait, and none is lost once it takes them', async (t) => {
  const statuses = [500, 429, 503];
  const url = await startCollector(t, (response) => {
    const status = statuses.shift();
    if (status !== undefined) response.writeHead(status, { 'Retry-After': '1' }).end();
    else setTimeout(() => response.writeHead(202).end(), 200);
  });
  const gateway = await start(t, { PREDICTION_LOG: url });
  await send(gateway, 30);
  assert.deepEqual(await settled(gateway, 30), { written: 30, full: 0, failed: 0 });
  assert.deepEqual(told(gateway), []);
  assert.equal(await gateway.stop(), 0);
});

test('a collector that refuses is told once, without its secrets, and again when it takes lines', async (t) => {
  let takes = false;
  const url = await startCollector(t, (response) => response.writeHead(takes ? 202 : 302, { Location: '/' }).end());
  const gateway = await start(t, { PREDICTION_LOG: url });
  for (let sent = 10; sent <= 30; sent += 10) {
    await send(gateway, 10);
    assert.deepEqual(await settled(gateway, sent), { written: 0, full: 0, failed: sent });
  }
  takes = true;
  await send(gateway, 10);
  assert.deepEqual(await settled(gateway, 40), { written: 10, full: 0, failed: 30 });
  assert.deepEqual(told(gateway), [FAILS, WORKS]);
  assert.doesNotMatch(JSON.stringify(gateway.log), /hunter2/);
  assert.equal(await gateway.stop(), 0);
});
