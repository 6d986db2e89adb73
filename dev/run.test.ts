/** `make dev` as its own process, with a temporary models folder and no model server. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const PROGRAM = fileURLToPath(new URL('run.ts', import.meta.url));
const CARD = fileURLToPath(new URL('../serving/models/clothing-model/model.yaml', import.meta.url));

/** Starts the program. `nextLine` resolves to the next line of stdout or stderr that contains a text. */
function startDev(t: TestContext, env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [PROGRAM], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill());
  let output = '';
  const append = (chunk: Buffer) => {
    output += chunk;
    child.emit('output');
  };
  child.stdout.on('data', append);
  child.stderr.on('data', append);
  return {
    child,
    async nextLine(text: string) {
      while (!output.includes(text)) await once(child, 'output', { signal: AbortSignal.timeout(30_000) });
      output = output.slice(output.indexOf(text) + text.length);
    },
  };
}

/** Saves a file as most editors do: the new file replaces the old one. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}~`, text);
  await rename(`${file}~`, file);
}

async function childOf({ pid }: ChildProcess): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  return rows.find(([, parent]) => parent === pid)?.[0] ?? assert.fail('no gateway runs');
}

test('make dev restarts the gateway after every save, waits after a failed start, and ends it on SIGINT', async (t) => {
  const models = await mkdtemp(path.join(tmpdir(), 'tensorgate-dev-'));
  t.after(() => rm(models, { recursive: true }));
  const card = path.join(models, 'clothing-model/model.yaml');
  await cp(CARD, card);
  const { child, nextLine } = startDev(t, {
    TF_SERVING_HOST: '127.0.0.1:1',
    PORT: '0',
    ADMIN_PORT: '0',
    MODELS: models,
  });
  await nextLine('listening');
  const first = await childOf(child);
  for (let save = 0; save < 2; save += 1) {
    await replace(card, await readFile(CARD, 'utf8'));
    await nextLine('model.yaml changed: restarting');
    await nextLine('listening');
  }
  await replace(card, 'name: 1\n');
  await nextLine('waiting for a change');
  await copyFile(CARD, card);
  await nextLine('listening');
  const last = await childOf(child);
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  for (const pid of [first, last]) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});
