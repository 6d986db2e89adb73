/** A container with a read-only root file system and a full folder for temporary files. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { CHECKS } from '../committed-model.ts';
import { startGatewayFor } from '../gateway.ts';
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
