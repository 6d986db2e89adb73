/** A checkout as `git clone` makes it, with the packages that `make` would install. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export type Checkout = AsyncDisposable & { readonly folder: string };

/**
 * Copies what git would commit. The packages are those of this checkout: the test needs no registry. `withTraining`: the Python packages too,
 * and the photos of DOCS_PHOTOS.
 */
export async function freshCheckout(withTraining: boolean): Promise<Checkout> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tensorgate-checkout-'));
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const { stdout } = await promisify(execFile)('git', list, { cwd: ROOT, maxBuffer: 2 ** 26 });
  for (const file of stdout.split('\0')) {
    const from = path.join(ROOT, file);
    if (file !== '' && existsSync(from)) await cp(from, path.join(folder, file), { verbatimSymlinks: true });
  }
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  // Older than the packages, so that make does not install them again.
  await utimes(path.join(folder, 'package-lock.json'), 0, 0);
  if (withTraining) await linkTraining(folder);
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

async function linkTraining(folder: string): Promise<void> {
  const photos = process.env.DOCS_PHOTOS;
  if (photos === undefined || !existsSync(photos))
    throw new Error(`no photos in ${photos}: make docs-commands DATA=folder`);
  await symlink(path.join(ROOT, '.venv'), path.join(folder, '.venv'));
  await utimes(path.join(folder, 'serving/training/requirements.lock'), 0, 0);
  await symlink(photos, path.join(folder, 'photos'));
}
