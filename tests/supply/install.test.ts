/** npm installs from the lock file, and refuses one that was changed. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readLock } from './lock.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const UNREACHABLE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED/;

type Outcome = { readonly failed: boolean; readonly output: string };

function run(program: string, args: readonly string[], cwd: string): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ failed: error !== null, output: `${stdout}${stderr}` }),
    );
  });
}

/** Runs `npm ci` in a folder. Skips the test and resolves to undefined if the registry cannot be reached. */
async function install(t: TestContext, cwd: string, ...args: string[]): Promise<Outcome | undefined> {
  // Set the log level: `npm run --silent` around these tests would also silence this npm.
  const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--loglevel=warn'];
  const outcome = await run('npm', ['ci', ...options, ...args], cwd);
  if (!outcome.failed || !UNREACHABLE.test(outcome.output)) return outcome;
  t.skip('the npm registry cannot be reached');
  return undefined;
}

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'tensorgate-install-'));
  t.after(() => rm(made, { recursive: true }));
  await copyFile(path.join(ROOT, '.npmrc'), path.join(made, '.npmrc'));
  return made;
}

test('G13: npm ci --ignore-scripts installs a working sharp, grpc-js and express from the lock', async (t) => {
  const at = await folder(t);
  for (const file of ['package.json', 'package-lock.json']) await copyFile(path.join(ROOT, file), path.join(at, file));
  // As gateway/Dockerfile does.
  await run('npm', ['pkg', 'delete', 'devDependencies', 'optionalDependencies'], at);
  const installed = await install(t, at);
  if (!installed) return;
  assert.equal(installed.failed, false, installed.output);
  const script = `import sharp from 'sharp'; import '@grpc/grpc-js'; import 'express';
    console.log((await sharp({ create: { width: 2, height: 1, channels: 3, background: 'red' } }).raw().toBuffer()).length)`;
  const { output } = await run(process.execPath, ['--input-type=module', '-e', script], at);
  assert.equal(output.trim(), '6');
});

test('G13: npm ci refuses a lock that differs from package.json', async (t) => {
  const at = await folder(t);
  await copyFile(path.join(ROOT, 'package-lock.json'), path.join(at, 'package-lock.json'));
  const text = await readFile(path.join(ROOT, 'package.json'), 'utf8');
  await writeFile(path.join(at, 'package.json'), text.replace(/"yaml": ".*"/, '"yaml": "2.8.0"'));
  const outcome = await install(t, at, '--dry-run');
  if (!outcome) return;
  assert.ok(outcome.failed);
  assert.match(outcome.output, /in sync/);
});

test('G13: npm ci refuses a package whose bytes do not match the hash in the lock', async (t) => {
  const at = await folder(t);
  const { packages } = await readLock();
  const name = 'ipaddr.js';
  const { version } = packages[`node_modules/${name}`] ?? {};
  const project = { name: 'p', version: '1.0.0', dependencies: { [name]: version } };
  const integrity = `sha512-${Buffer.alloc(64, 7).toString('base64')}`;
  const lock = {
    ...project,
    lockfileVersion: 3,
    packages: { '': project, [`node_modules/${name}`]: { version, integrity } },
  };
  await writeFile(path.join(at, 'package.json'), JSON.stringify(project));
  await writeFile(path.join(at, 'package-lock.json'), JSON.stringify(lock));
  const outcome = await install(t, at);
  if (!outcome) return;
  assert.ok(outcome.failed);
  assert.match(outcome.output, /EINTEGRITY/);
});
