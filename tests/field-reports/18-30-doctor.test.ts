/** Names of the hosts file and entries of FETCH_DENY, as `tensorgate doctor` shows them. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { runCli } from '../cli.ts';
import { MAIN } from '../gateway.ts';
import { startOrigin } from '../origin.ts';

const image = await readFile(new URL('../golden/images/jpg-420.jpg', import.meta.url));
/** Runs a command with another hosts file, for this command only. */
const WITH_HOSTS = ['--map-root-user', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"'];
const skip =
  spawnSync('unshare', [...WITH_HOSTS, '/etc/hosts', 'true']).status !== 0 &&
  'this machine does not allow a mount namespace (unshare --mount)';

test('C17 (18): a name with a dot in the hosts file is fetched, under the rules of every other name', {
  skip,
}, async (t) => {
  const origin = await startOrigin({ '/photo.jpg': image });
  const folder = await mkdtemp(path.join(tmpdir(), 'hosts-'));
  t.after(() => Promise.all([origin.close(), rm(folder, { recursive: true })]));
  const hosts = path.join(folder, 'hosts');
  await writeFile(hosts, '127.0.0.1\timg.example.test photos.example.test\n');
  const doctor = async (allowPrivate: boolean) => {
    const command = [process.execPath, MAIN, 'doctor', `http://photos.example.test:${origin.port}/photo.jpg`];
    const env = { ...process.env, FETCH_ALLOW_PRIVATE: String(allowPrivate) };
    const run = promisify(execFile)('unshare', [...WITH_HOSTS, hosts, ...command], { env });
    return (await run.catch((failed: { stdout: string }) => failed)).stdout;
  };
  assert.match(await doctor(true), /yes: a prediction gets this picture/);
  assert.match(await doctor(false), /REFUSED {2}address: 127\.0\.0\.1 is private/);
  assert.deepEqual(origin.hits, ['/photo.jpg']);
});

test('C16 (30): FETCH_DENY=.corp.example denies the domain and every name below it', async () => {
  for (const host of ['img.corp.example', 'corp.example']) {
    const { code, stdout } = await runCli(['doctor', `https://${host}/x.jpg`], {
      env: { FETCH_DENY: '.corp.example' },
    });
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`REFUSED {2}deny-list: ${host} is in FETCH_DENY`));
  }
});

test('C16: an entry that matches nothing stops the start, by its name and without a password', async () => {
  const env = { FETCH_DENY: 'http://me:hunter2@img.example.com,a..example,10.0.0.0/8' };
  const { code, stderr } = await runCli(['doctor', 'https://a.example/'], { env });
  assert.equal(code, 2);
  assert.match(stderr, /FETCH_DENY: .*"a\.\.example" cannot be read, or matches nothing; entries look like/);
  assert.doesNotMatch(stderr, /hunter2/);
});
