/** A checkout on Windows, where git turns LF into CRLF by default: scripts keep LF, so that they run in Linux containers. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const options = existsSync(path.join(ROOT, '.git')) ? {} : { skip: 'this is no git checkout' };

const git = async (...args: readonly string[]) => (await promisify(execFile)('git', args)).stdout;

test(
  'F30 (11): with core.autocrlf=true every text file has LF, and bytes of tests and models are untouched',
  options,
  async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'windows-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await git('-c', 'core.autocrlf=true', 'clone', '--quiet', '--depth', '1', `file://${ROOT}`, folder);
    const script = await readFile(path.join(folder, 'serving/start-server.sh'), 'utf8');
    assert.ok(!script.includes('\r'));

    // i: in the repository, w: in the checkout.
    const lines = (await git('-C', folder, 'ls-files', '--eol')).trimEnd().split('\n');
    assert.ok(lines.length > 100);
    const wrong = lines.filter((line) => {
      const [, inside, outside, attributes = ''] = /^i\/(\S*) +w\/(\S*) +attr\/(\S*)/.exec(line) ?? [];
      return inside !== outside || (inside === 'crlf' && !attributes.startsWith('-text'));
    });
    assert.deepEqual(wrong, []);
  },
);
