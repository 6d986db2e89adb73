/** Schemathesis, with all its checks, on the openapi.json of both ports. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type RunningGateway, startGateway } from '../gateway.ts';
import { findClients } from './python.ts';

const run = promisify(execFile);
const CONFIG = fileURLToPath(new URL('./schemathesis.toml', import.meta.url));
const KEY = 'tg_schemathesis-key-of-the-test';
/** The time of a run, which fuzzing repeats until it is over. */
const SECONDS = { service: process.env.SCHEMATHESIS_SECONDS ?? '20', admin: '5' };

const python = await findClients(['schemathesis', 'openapi-spec-validator']);
const skip = 'missing' in python && python.missing;

let gateway: RunningGateway;
let folder: string;

before(async () => {
  if (skip) return;
  folder = await mkdtemp(path.join(tmpdir(), 'schemathesis-'));
  const keysFile = path.join(folder, 'keys.yaml');
  await writeFile(keysFile, `- name: test\n  sha256: ${createHash('sha256').update(KEY).digest('hex')}\n`);
  // No picture is downloaded: a generated URL may lead anywhere.
  const settings = { API_KEYS_FILE: keysFile, FETCH_ALLOW: 'pictures.invalid' };
  // A client waits for 10 s. An explanation of a picture by the usual number of calls takes longer on a busy machine.
  const quick = { REQUEST_TIMEOUT: '8s', EXPLAIN_MAX_CALLS: '50' };
  gateway = await startGateway({ ...settings, ...quick, READY_WHEN: 'all' });
  await gateway.ready();
});

after(async () => {
  if (skip) return;
  await rm(folder, { recursive: true });
  assert.equal(await gateway.stop(), 0);
});

/** Runs a Python module. Fails with what it prints. */
async function runModule(module: string, ...args: readonly string[]): Promise<string> {
  assert.ok('program' in python);
  const { stdout } = await run(python.program, ['-m', module, ...args], {
    cwd: folder,
    env: { ...process.env, KEY },
    timeout: 1000 * Number(SECONDS.service) + 120_000,
  }).catch((failed: { stdout?: string; stderr?: string }) => assert.fail(`${failed.stdout}${failed.stderr}`));
  return stdout;
}

async function check(t: TestContext, url: string, seconds: string): Promise<void> {
  const file = path.join(folder, 'openapi.json');
  const document = await fetch(`${url}/openapi.json`, { headers: { 'X-API-Key': KEY } });
  await writeFile(file, await document.text());
  await runModule('openapi_spec_validator', file);
  const how = ['--checks', 'all', '--max-time', seconds, '--seed', '1', '--generation-database', 'none', '--no-color'];
  const text = await runModule('schemathesis.cli', '--config-file', CONFIG, 'run', file, '--url', url, ...how);
  const [generated = ''] = /\d+ generated.*/.exec(text) ?? [];
  assert.match(generated, /^\d\d+ generated, \d+ passed/, text);
  t.diagnostic(generated);
}

test('PORT answers as its document says, and to no request with 5xx', { skip }, (t) =>
  check(t, gateway.url, SECONDS.service),
);

test('ADMIN_PORT answers as its document says', { skip }, (t) => check(t, gateway.adminUrl, SECONDS.admin));
