/** A container with a read-only root file system, a full folder for temporary files, or little shared memory. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { CHECKS } from '../committed-model.ts';
import { predictImage, startGatewayFor } from '../gateway.ts';
import { enterNamespace } from './namespace.ts';

const skip = enterNamespace(import.meta.filename);

/** Mounts a tmpfs of 64 KiB and makes everything else read-only, for this process and its children only. */
function mountSmallDisk(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
  execFileSync('mount', ['-o', 'remount,bind,ro', '/']);
  return folder;
}

function fill(folder: string): void {
  const bytes = Buffer.alloc(4096);
  assert.throws(() => {
    for (let index = 0; ; index += 1) writeFileSync(path.join(folder, `${index}`), bytes);
  }, /ENOSPC/);
}

test('F11: with a read-only root and a full temporary folder pictures are classified', { skip }, async (t) => {
  const folder = mountSmallDisk();
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  const gateway = await startGatewayFor(t, { TMPDIR: folder });
  t.after(() => {
    execFileSync('mount', ['-o', 'remount,bind,rw', '/']);
    execFileSync('umount', [folder]);
    rmdirSync(folder);
  });
  await gateway.ready();
  fill(folder);
  assert.throws(() => writeFileSync('/written', ''), /EROFS/);
  for (const [, check] of CHECKS) await check(gateway);
  t.diagnostic(`came: ${CHECKS.length} checks of the committed model pass`);
});

test('A16: with /dev/shm of 64 kB pictures are classified, and the log says that it is full', { skip }, async (t) => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', '/dev/shm']);
  const gateway = await startGatewayFor(t, {});
  t.after(() => execFileSync('umount', ['/dev/shm']));
  await gateway.ready();
  const photo = readFileSync(new URL('../golden/images/jpg-420.jpg', import.meta.url));
  const answers = await Promise.all(Array.from({ length: 8 }, () => predictImage(gateway, photo)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(gateway.log.filter(({ msg }) => /shared memory .* is full/.test(String(msg))).length, 1);
});
