/** A container's disk at its worst: the root read-only, the folder for temporary files full. */
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

/** A file system of 64 KiB in memory, and everything else read-only, for this process and its children alone. */
function makeDiskSmall(): string {
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

test('F11: the root read-only and no room for temporary files: pictures are classified', { skip }, async (t) => {
  const folder = makeDiskSmall();
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
  t.diagnostic(`came: ${CHECKS.length} checks of the committed model hold`);
});
