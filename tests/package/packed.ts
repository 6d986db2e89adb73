/** Builds and packs the npm package as `make package` does, into a folder of the test. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** Builds what the archive holds, as `content`. */
export async function build(): Promise<Folder & { readonly content: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tensorgate-package-'));
  const content = path.join(folder, 'content');
  await run(process.execPath, [path.join(ROOT, 'packaging/build.ts'), content]);
  return { folder, content, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

/** A folder for the test, which closes it. */
type Folder = AsyncDisposable & { readonly folder: string };

/** `unpacked`: what the archive holds. */
export type Packed = Folder & { readonly archive: string; readonly unpacked: string };

export async function pack(): Promise<Packed> {
  const { folder, content, ...closing } = await build();
  const { stdout } = await run('npm', ['pack', content, '--pack-destination', folder, '--json'], { cwd: folder });
  const archive = path.join(folder, JSON.parse(stdout)[0].filename);
  await run('tar', ['-xzf', archive, '-C', folder]);
  return { folder, archive, unpacked: path.join(folder, 'package'), ...closing };
}
