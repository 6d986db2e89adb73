import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { readSmallFile, readSmallFileSync } from './small-file.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'small-file-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string) => path.join(folder, name);

writeFileSync(at('file'), 'text');
symlinkSync('file', at('link'));
mkdirSync(at('folder'));
symlinkSync('loop', at('loop'));
writeFileSync(at('large'), '');
truncateSync(at('large'), 2 ** 30);
execFileSync('mkfifo', [at('fifo')]);
const socket = createServer();
await once(socket.listen(at('socket')), 'listening');
after(() => socket.close());

test('A19: a file is read, through a symbolic link too', async () => {
  for (const name of ['file', 'link']) {
    assert.equal((await readSmallFile(at(name))).toString(), 'text');
    assert.equal(readSmallFileSync(at(name)).toString(), 'text');
  }
});

const WRONG: readonly [file: string, why: RegExp][] = [
  [at('none'), /^no such file$/],
  [at('folder'), /^is a folder, not a file$/],
  [at('fifo'), /^is not a file$/],
  [at('socket'), /^is not a file$/],
  ['/dev/zero', /^is not a file$/],
  [at('loop'), /^its symbolic links form a loop$/],
  [at('large'), /^is larger than 4 MiB$/],
];

for (const [file, message] of WRONG) {
  test(`A19: ${path.basename(file)} in place of a file is refused at once, with its reason`, async () => {
    await assert.rejects(readSmallFile(file), { message });
    assert.throws(() => readSmallFileSync(file), { message });
  });
}

test('A19: a file without the right to read it', { skip: process.getuid?.() === 0 && 'root reads every file' }, () => {
  chmodSync(at('file'), 0);
  assert.throws(() => readSmallFileSync(at('file')), { message: /^this user may not read it$/ });
  chmodSync(at('file'), 0o600);
});
