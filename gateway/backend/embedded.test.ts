import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../../tests/until.ts';
import type { Log } from '../domain/request.ts';
import type { GatewayError } from '../errors.ts';
import { type Embedded, hasEmbedded, startEmbedded } from './embedded.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** Records log lines with their process id. */
function recordingLog(): Log & { lines: { level: string; text: string; pid?: number }[] } {
  const lines: { level: string; text: string; pid?: number }[] = [];
  const at = (level: string) => (fields: object, text: string) => lines.push({ level, text, ...fields });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** y = x, a vector of float32, as an ONNX file: version, graph { node, name, input, output }, operator set. */
const ECHO_MODEL = Buffer.from(
  [
    '0808',
    '3a3c',
    '0a100a017812017922084964656e74697479',
    '120474657374',
    '5a100a0178120b0a09080112050a0312016e',
    '62100a0179120b0a09080112050a0312016e',
    '42040a001011',
  ].join(''),
  'hex',
);

function modelIn(t: TestContext): { name: string; basePath: string } {
  const basePath = mkdtempSync(join(tmpdir(), 'embedded-model-'));
  t.after(() => rmSync(basePath, { recursive: true, force: true }));
  mkdirSync(join(basePath, '1'));
  writeFileSync(join(basePath, '1', 'model.onnx'), ECHO_MODEL);
  return { name: 'echo "m"', basePath };
}

function start(t: TestContext): { embedded: Embedded; log: ReturnType<typeof recordingLog> } {
  const log = recordingLog();
  const embedded = startEmbedded({ models: [modelIn(t)], cores: 1, log });
  t.after(() => embedded.close());
  return { embedded, log };
}

function socketOf({ target }: Embedded): string {
  return target.replace(/^unix:/, '');
}

async function listens(embedded: Embedded): Promise<boolean> {
  const socket = connect(socketOf(embedded));
  const connected = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return connected;
}

/** A zombie (ended, not yet reaped) counts as not alive. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout !== '' && !stdout.startsWith('Z');
}

const serverPid = ({ lines }: ReturnType<typeof recordingLog>) =>
  lines.findLast(({ text }) => text.includes('serving echo "m" version 1'))?.pid;

test('serves the models on a private socket and logs the output of the server', async (t) => {
  const { embedded, log } = start(t);
  assert.equal(embedded.state, 'starting');
  await embedded.ready;
  assert.equal(embedded.state, 'ready');
  assert.ok(await listens(embedded));
  assert.equal(statSync(dirname(socketOf(embedded))).mode & 0o777, 0o700);
  const pid = serverPid(log);
  assert.ok(pid !== undefined && isAlive(pid));
  // A separate process group: a Ctrl-C in the terminal signals only the gateway.
  assert.equal(Number(execFileSync('ps', ['-o', 'pgid=', '-p', String(pid)])), pid);
});

test('close stops the server and removes its folder', async (t) => {
  const { embedded, log } = start(t);
  await embedded.ready;
  await embedded.close();
  assert.equal(embedded.state, 'closed');
  assert.equal(isAlive(serverPid(log) as number), false);
  assert.equal(existsSync(dirname(socketOf(embedded))), false);
  assert.deepEqual(
    log.lines.filter(({ level }) => level !== 'info'),
    [],
  );
});

test('close during startup rejects ready', async (t) => {
  const { embedded } = start(t);
  await embedded.close();
  assert.equal(embedded.state, 'closed');
  assert.equal(existsSync(dirname(socketOf(embedded))), false);
  await assert.rejects(embedded.ready, { kind: 'draining' });
});

test('close kills a server that does not exit', async (t) => {
  const { embedded, log } = start(t);
  await embedded.ready;
  const pid = serverPid(log) as number;
  process.kill(pid, 'SIGSTOP');
  await embedded.close();
  assert.equal(isAlive(pid), false);
});

test('a killed server is restarted on the same socket', async (t) => {
  const { embedded, log } = start(t);
  await embedded.ready;
  const first = serverPid(log) as number;
  process.kill(first, 'SIGKILL');
  await until(() => embedded.state === 'waiting');
  await until(() => embedded.state === 'ready');
  assert.ok(await listens(embedded));
  assert.notEqual(serverPid(log), first);
  const told = log.lines.find(({ level }) => level === 'error');
  assert.partialDeepStrictEqual(told, {
    signal: 'SIGKILL',
    text: 'the embedded model server exited; restarting it',
  });
});

test('a server that cannot start is restarted with growing pauses until it can', async (t) => {
  const model = modelIn(t);
  const log = recordingLog();
  // The server refuses a list with the same name twice.
  const embedded = startEmbedded({ models: [model, model], cores: 1, log });
  t.after(() => embedded.close());
  await embedded.firstStart;
  const pauses = () => log.lines.flatMap((line) => ('pauseMs' in line ? [line.pauseMs] : []));
  await until(() => pauses().length === 2);
  assert.deepEqual(pauses(), [250, 500]);
  embedded.serve([model]);
  await embedded.ready;
  assert.equal(embedded.state, 'ready');
});

/** What embedded.ts and the server import. */
const GATEWAY = ['backend', 'domain', 'machine', 'door', 'grpc', 'errors.ts'].map((name) => `gateway/${name}`);

/** Imports embedded.ts from a copy of the repository without the server's packages in node_modules. */
async function copyOf(t: TestContext, ...folders: readonly string[]): Promise<typeof import('./embedded.ts')> {
  const copy = mkdtempSync(join(tmpdir(), 'embedded-copy-'));
  t.after(() => rmSync(copy, { recursive: true, force: true }));
  for (const folder of [...GATEWAY, 'protos', ...folders]) {
    cpSync(join(REPOSITORY, folder), join(copy, folder), { recursive: true });
  }
  cpSync(join(REPOSITORY, 'package.json'), join(copy, 'package.json'));
  mkdirSync(join(copy, 'node_modules', '@grpc'), { recursive: true });
  for (const name of ['@grpc/grpc-js', '@grpc/proto-loader']) {
    symlinkSync(join(REPOSITORY, 'node_modules', name), join(copy, 'node_modules', name));
  }
  return import(join(copy, 'gateway/backend/embedded.ts'));
}

test('without ONNX Runtime it fails with the setting to use', async (t) => {
  const { startEmbedded } = await copyOf(t, 'serving/embedded');
  const log = recordingLog();
  const embedded = startEmbedded({ models: [modelIn(t)], cores: 1, log });
  t.after(() => embedded.close());
  await assert.rejects(embedded.ready, (error: GatewayError) => {
    return error.kind === 'model_unavailable' && error.message.includes('TF_SERVING_HOST');
  });
  assert.equal(log.lines.at(-1)?.level, 'error');
  assert.equal(log.lines.filter(({ text }) => text.includes('restarting it')).length, 0);
  assert.equal(embedded.state, 'failed');
});

test('hasEmbedded tells whether the installation has the server', async (t) => {
  assert.equal(hasEmbedded(), true);
  const { hasEmbedded: inCopy } = await copyOf(t);
  assert.equal(inCopy(), false);
});

test('the server exits when the gateway is killed', async (t) => {
  const model = modelIn(t);
  const code = `
    import { startEmbedded } from ${JSON.stringify(new URL('./embedded.ts', import.meta.url).href)};
    const log = (fields, text) => console.log(JSON.stringify({ ...fields, text }));
    const { target, ready } = startEmbedded({ models: [${JSON.stringify(model)}], cores: 1, log: { info: log, warn: log, error: log } });
    await ready;
    console.log(JSON.stringify({ target }));
  `;
  const gateway = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => gateway.kill('SIGKILL'));
  let output = '';
  gateway.stdout.on('data', (data) => {
    output += data;
  });
  await until(() => output.includes('"target"'));
  const lines = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { pid } = lines.find(({ text }) => text?.includes('serving'));
  t.after(() => rmSync(dirname(socketOf(lines.at(-1))), { recursive: true, force: true }));
  assert.ok(isAlive(pid));
  gateway.kill('SIGKILL');
  await until(() => !isAlive(pid), 2000);
});
