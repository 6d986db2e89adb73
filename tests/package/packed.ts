/** Packs the npm package as `make package` does, into a folder of the test. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** `folder` is for the test, which closes it. `unpacked`: what the archive holds. */
export type Packed = AsyncDisposable & { readonly folder: string; readonly archive: string; readonly unpacked: string };

export async function pack(): Promise<Packed> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tensorgate-package-'));
  const built = path.join(folder, 'built');
  await run(process.execPath, [path.join(ROOT, 'packaging/build.ts'), built]);
  const { stdout } = await run('npm', ['pack', built, '--pack-destination', folder, '--json'], { cwd: folder });
  const archive = path.join(folder, JSON.parse(stdout)[0].filename);
  await run('tar', ['-xzf', archive, '-C', folder]);
  const close = () => rm(folder, { recursive: true });
  return { folder, archive, unpacked: path.join(folder, 'package'), [Symbol.asyncDispose]: close };
}
