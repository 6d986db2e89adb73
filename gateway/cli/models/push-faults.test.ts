import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { readFiles, surroundings, temporary, WHOLE, writeFiles } from '../../../tests/candidates.ts';
import { refusalAs, runCli } from '../../../tests/cli.ts';
import { push } from './push.ts';

const run = promisify(execFile);
const KILLS = 20;
const PUSHES = 20;
/** The id of the user nobody. */
const NOBODY = 65_534;

async function folders(t: TestContext) {
  const folder = await temporary(t);
  const parent = await writeFiles(path.join(folder, 'pets'), surroundings('pets'));
  const candidate = await writeFiles(path.join(parent, '1'), WHOLE);
  const models = path.join(folder, 'models');
  await mkdir(models);
  return { folder, candidate, models, model: path.join(models, 'pets') };
}

/** The versions that a server would see. Asserts that each is complete and has its records. */
async function completeVersions(model: string): Promise<number[]> {
  const files = await readFiles(model);
  const versions = (await readdir(model)).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const version of versions) {
    for (const [name, content] of Object.entries(WHOLE)) {
      assert.equal(files[`${version}/${name}`], Buffer.from(content).toString('latin1'), `${version}/${name}`);
    }
    for (const record of ['evaluation', 'parity']) {
      assert.equal(JSON.parse(files[`${record}/${version}.json`] ?? '').version, version);
    }
  }
  return versions.sort((a, b) => a - b);
}

function pushing(candidate: string, models: string): string[] {
  return ['models', 'push', candidate, '--model', 'pets', '--models', models];
}

/**
 * A module to load before the program. Sends SIGKILL when file operation number KILL_AT starts, which may or may not
 * take effect. Without KILL_AT it prints the number of operations at the end.
 */
const KILL_MODULE = `
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
let count = 0;
for (const name of ['mkdir', 'mkdtemp', 'copyFile', 'chmod', 'open', 'link', 'rename', 'rm']) {
  const operation = fs[name];
  fs[name] = (...args) => {
    const result = operation(...args);
    count += 1;
    if (count === Number(process.env.KILL_AT)) process.kill(process.pid, 'SIGKILL');
    return result;
  };
}
syncBuiltinESMExports();
process.on('exit', () => process.stderr.write(String(count)));
`;

test(`${KILLS} kills, from the first file operation to the last, leave no partial version, and the next push works`, async (t) => {
  const { candidate, models, model } = await folders(t);
  const preload = `data:text/javascript,${encodeURIComponent(KILL_MODULE)}`;
  const args = pushing(candidate, models);
  await push(candidate, 'pets', models);
  const complete = await runCli(args, { preload });
  assert.equal(complete.code, 0, complete.stderr);
  const operations = Number(complete.stderr);
  assert.ok(operations > KILLS, `${operations} file operations`);
  let published = 0;
  for (let kill = 0; kill < KILLS; kill += 2) {
    // Two at a time: one push removes the leftovers of another while a third runs.
    const moments = [kill, kill + 1].map((one) => 1 + Math.floor((one * (operations - 2)) / (KILLS - 1)));
    const killed = moments.map((at) => runCli(args, { preload, env: { KILL_AT: String(at) } }));
    for (const { signal } of await Promise.all(killed)) assert.equal(signal, 'SIGKILL', `${moments} of ${operations}`);
    published = (await completeVersions(model)).length;
  }
  const used = (await readdir(path.join(model, 'evaluation'))).map((name) => Number.parseInt(name, 10));
  const { version } = await push(candidate, 'pets', models);
  assert.equal(version, Math.max(...used) + 1);
  assert.equal((await completeVersions(model)).length, published + 1);
  assert.deepEqual(
    (await readdir(model)).filter((name) => name.startsWith('.')),
    [],
  );
});

test(`two processes that push ${PUSHES} times each get ${2 * PUSHES} different numbers`, async (t) => {
  const { candidate, models, model } = await folders(t);
  const program = `
    import { push } from ${JSON.stringify(pathToFileURL(path.join(import.meta.dirname, 'push.ts')))};
    const [candidate, models] = process.argv.slice(1);
    process.send('ready');
    await new Promise((go) => process.once('message', go));
    for (let left = ${PUSHES}; left > 0; left -= 1) console.log((await push(candidate, 'pets', models)).version);
    process.disconnect();
  `;
  const pushers = [1, 2].map(() => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, candidate, models], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    return { child, closed: once(child, 'close'), printed: child.stdout?.toArray() ?? assert.fail('no stdout') };
  });
  await Promise.all(pushers.map(({ child }) => once(child, 'message')));
  for (const { child } of pushers) child.send('go');
  const printed = await Promise.all(pushers.map(async ({ printed }) => Buffer.concat(await printed)));
  for (const { closed } of pushers) assert.deepEqual(await closed, [0, null]);
  const numbers = printed.flatMap((lines) => String(lines).trim().split('\n').map(Number)).sort((a, b) => a - b);
  assert.deepEqual(
    numbers,
    Array.from({ length: 2 * PUSHES }, (_, index) => index + 1),
  );
  assert.deepEqual(await completeVersions(model), numbers);
  assert.deepEqual(
    (await readdir(model)).filter((name) => name.startsWith('.')),
    [],
  );
});

/** A models folder on a separate file system. Skips the test and returns undefined if mounting is not allowed. */
async function mountedModels(t: TestContext, options: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) {
    t.skip('mounting a tmpfs needs root');
    return undefined;
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'push-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
    t.after(() => run('umount', [folder]));
  } catch (error) {
    t.skip(`mounting a tmpfs is refused: ${(error as Error).message}`);
    return undefined;
  } finally {
    t.after(() => rmdir(folder));
  }
  return folder;
}

test('a disk with too little space is refused before anything is written', async (t) => {
  const { candidate } = await folders(t);
  const models = await mountedModels(t, 'size=1m');
  if (models === undefined) return;
  const { code, stderr } = await runCli(pushing(candidate, models));
  assert.equal(code, 2);
  assert.match(stderr, /^\/.*pets: 1\.0 MB are needed, 1\.0 MB are free; nothing was pushed\n$/);
  assert.deepEqual(await readdir(models), []);
});

test('a disk that fills up during the copy is left without new files', async (t) => {
  const { candidate } = await folders(t);
  // Enough bytes, but only nine inodes.
  const models = await mountedModels(t, 'size=8m,nr_inodes=9');
  if (models === undefined) return;
  const { code, stderr } = await runCli(pushing(candidate, models));
  assert.equal(code, 1);
  assert.match(stderr, /^\/.*: no space is left on the device; nothing was pushed\n$/);
  assert.deepEqual(await readdir(models), []);
});

test('a read-only file system fails with its reason', async (t) => {
  const { candidate } = await folders(t);
  const models = await mountedModels(t, 'ro');
  if (models === undefined) return;
  const { code, stderr } = await runCli(pushing(candidate, models));
  assert.equal(code, 1);
  assert.match(stderr, /^\/.*\/pets: the file system is read-only; nothing was pushed\n$/);
});

const isRoot = process.getuid?.() === 0;
const refusal = isRoot && refusalAs(NOBODY);

test('a user without write or read permission gets an error that names the path', { skip: refusal }, async (t) => {
  const { folder, candidate, models } = await folders(t);
  await chmod(folder, 0o755);
  await chmod(models, 0o555);
  const uid = isRoot ? { uid: NOBODY } : {};
  const args = pushing(candidate, models);
  const { code, stderr } = await runCli(args, uid);
  assert.equal(code, 1);
  assert.match(stderr, /^\/.*models\/pets: permission denied, this user may not write there; nothing was pushed\n$/);
  await chmod(path.join(candidate, 'model.onnx'), 0o000);
  const unreadable = await runCli(args, uid);
  assert.equal(unreadable.code, 2);
  assert.match(unreadable.stderr, /^\/.*1\/model\.onnx: may not be read by this user\n$/);
});
