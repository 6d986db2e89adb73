/** No file descriptors: from too many connections, and from a limit that is lower than what is open. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeKey } from '../../gateway/access/keys.ts';
import { MAIN, predictImage, type RunningGateway, startGateway, startGatewayFor } from '../gateway.ts';
import { EQUAL_SCORES, type ModelServer, startClothingModel, startModelServer, XCEPTION } from '../model-server.ts';
import { modelsFolder } from '../models.ts';
import { type Origin, startOrigin } from '../origin.ts';
import { exchange, open } from '../raw.ts';
import { until } from '../until.ts';

const OPEN_FILES = 256;
const jpeg = await readFile(new URL('../golden/images/jpg-420.jpg', import.meta.url));
/** Decoded in a process. */
const png = await readFile(new URL('../golden/images/png-rgb8.png', import.meta.url));
const first = makeKey('first');
const second = makeKey('second');

let model: ModelServer;
let origin: Origin;
let gateway: RunningGateway;
let keysFile: string;

before(async (t) => {
  model = await startClothingModel();
  origin = await startOrigin({ '/photo.jpg': (_request, response) => response.end(jpeg) });
  const models = await modelsFolder(t as TestContext);
  keysFile = path.join(models, 'keys.yaml');
  await writeFile(keysFile, first.entry);
  gateway = await startGateway(
    {
      TF_SERVING_HOST: model.target,
      MODELS: models,
      API_KEYS_FILE: keysFile,
      FETCH_ALLOW_PRIVATE: 'true',
      DECODERS: '2',
    },
    `-n ${OPEN_FILES}`,
  );
  await gateway.ready();
});

after(async () => {
  const code = await gateway.stop();
  model.close();
  await origin.close();
  assert.equal(code, 0);
});

const bearer = ({ key }: { key: string }) => ({ Authorization: `Bearer ${key}` });

test('A06: MAX_CONNECTIONS is held below the limit of open files, which is said at the start', () => {
  const line = gateway.log.find(({ openFiles }) => openFiles === OPEN_FILES);
  assert.match(String(line?.msg), /MAX_CONNECTIONS is held at 82/);
});

/** A kept connection may be closed while a request is on its way: then the client tries again (RFC 9112, 9.3.1). */
const isAnswered = async () => (await predictImage(gateway, png, bearer(first)).catch(() => undefined))?.status === 200;

test('A06: with 300 half-sent requests new clients are answered, and killed decoders are replaced', async () => {
  const sockets = await Promise.all(
    Array.from({ length: 300 }, async () => {
      const socket = await open(gateway);
      socket.on('error', () => undefined).write('GET /health/live HTTP/1.1\r\nHost: x\r\n');
      return socket;
    }),
  );
  await until(isAnswered);
  assert.ok(decoders().length > 0);
  for (const pid of decoders()) process.kill(pid, 'SIGKILL');
  assert.match(await exchange(gateway, 'GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'), /200 OK/);
  await until(isAnswered);
  assert.equal(gateway.process.exitCode, null);
  for (const socket of sockets) socket.destroy();
});

test('A06: without descriptors nothing ends: 503, and all goes on when there are some again', async (t) => {
  if (process.platform !== 'linux') return t.skip('needs prlimit');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  /** Over one connection, which was opened before. */
  const ask = async (route: string, type?: string, body?: Buffer | string) => {
    const headers = { ...bearer(first), ...(type !== undefined && { 'Content-Type': type }) };
    const sent = request(gateway.url + route, { agent, method: body === undefined ? 'GET' : 'POST', headers }).end(
      body,
    );
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return [answer.statusCode, JSON.parse(await text(answer)).kind];
  };
  await ask('/health/live');
  limitTo(10);
  await writeFile(keysFile, second.entry);
  for (const pid of decoders()) process.kill(pid, 'SIGKILL');
  const large = JSON.stringify({ b64: jpeg.toString('base64'), note: 'x'.repeat(600_000) });
  const url = JSON.stringify({ url: `${origin.url}/photo.jpg` });
  assert.deepEqual(await ask('/predict', 'application/json', url), [503, 'overloaded']);
  await until(async () => (await ask('/predict', 'image/png', png))[0] === 503);
  // It needs a thread.
  assert.deepEqual(await ask('/predict', 'application/json', large), [503, 'overloaded']);
  await until(() => gateway.log.some(({ msg }) => /cannot load the changed file/.test(String(msg))));
  // Not accepted: it waits in the kernel's queue, or is closed.
  (await open(gateway)).on('error', () => undefined).destroy();
  await sleep(300); // the memory is read every 250 ms
  assert.deepEqual(await ask('/health/live'), [200, undefined]);

  limitTo(OPEN_FILES);
  await until(async () => (await fetch(`${gateway.url}/health/ready`)).status === 200);
  await until(async () => (await predictImage(gateway, png, bearer(second))).status === 200);
  for (const body of [url, large]) {
    const headers = { ...bearer(second), 'Content-Type': 'application/json' };
    const answer = await fetch(`${gateway.url}/predict`, { method: 'POST', headers, body });
    assert.equal(answer.status, 200);
  }
  assert.ok(gateway.log.every(({ level }) => level !== 'fatal'));
});

function decoders(): number[] {
  const pids = spawnSync('ps', ['-o', 'pid=', '--ppid', String(gateway.process.pid)], { encoding: 'utf8' }).stdout;
  return pids.split(/\s+/).filter(Boolean).map(Number);
}

/** Sets the limit of open files of the gateway. It may be lower than what is open: then nothing more can be opened. */
function limitTo(files: number): void {
  execFileSync('prlimit', ['--pid', String(gateway.process.pid), `--nofile=${files}:${OPEN_FILES}`]);
}

/** With them 13 connections may be open. */
const FEW_FILES = 96;

test(`A06: with ${FEW_FILES} open files a few clients are served, and 503 says that there is no room for more`, async (t) => {
  const [all, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let calls = 0;
  const slow = await startModelServer({
    ...XCEPTION,
    async onPredict() {
      calls += 1;
      if (calls === 13) all.resolve();
      await answer.promise;
      return EQUAL_SCORES;
    },
  });
  t.after(() => slow.close());
  const settings = { TF_SERVING_HOST: slow.target, MODELS: await modelsFolder(t), DECODERS: '2' };
  const few = await startGatewayFor(t, settings, `-n ${FEW_FILES}`);
  await few.ready();
  const busy = Array.from({ length: 13 }, async () => {
    const { status } = await predictImage(few, jpeg, { Connection: 'close' });
    return status;
  });
  await all.promise;
  const refused = await predictImage(few, jpeg, { Connection: 'close' });
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.equal(((await refused.json()) as { kind: string }).kind, 'overloaded');
  assert.equal((await fetch(`${few.url}/health/live`, { headers: { Connection: 'close' } })).status, 200);
  answer.resolve();
  assert.deepEqual(await Promise.all(busy), Array(13).fill(200));
});

test('A06: too few open files for anybody stop the start, and the error has the least number that works', () => {
  const command = `ulimit -n 64 && exec "$0" "$1" serve`;
  const env = { ...process.env, DECODERS: '2', TF_SERVING_HOST: 'localhost:1' };
  const { status, stderr } = spawnSync('sh', ['-c', command, process.execPath, MAIN], { env, encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stderr, /ulimit -n: 64 open files are too few; the gateway needs at least 92 with DECODERS=2/);
});
