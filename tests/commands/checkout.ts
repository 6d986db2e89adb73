/** A checkout as `git clone` makes it, with the packages that `make` would install. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink, utimes } from 'node:fs/promises';
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
  await copyFiles(folder);
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  // Older than the packages, so that make does not install them again.
  await utimes(path.join(folder, 'package-lock.json'), 0, 0);
  if (withTraining) await linkTraining(folder);
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

/** By tar, because thousands of single copies take seconds. */
async function copyFiles(folder: string): Promise<void> {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const { stdout } = await promisify(execFile)('git', list, { cwd: ROOT, maxBuffer: 2 ** 26 });
  const files = stdout.split('\0').filter((file) => file !== '' && existsSync(path.join(ROOT, file)));
  const pack = spawn('tar', ['-cf', '-', '--null', '-T', '-'], { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
  const unpack = spawn('tar', ['-xf', '-'], { cwd: folder, stdio: ['pipe', 'inherit', 'inherit'] });
  pack.stdout.pipe(unpack.stdin);
  pack.stdin.end(files.join('\0'));
  const codes = await Promise.all([once(pack, 'close'), once(unpack, 'close')]);
  if (codes.some(([code]) => code !== 0)) throw new Error(`the files cannot be copied to ${folder}`);
}

async function linkTraining(folder: string): Promise<void> {
  const photos = process.env.DOCS_PHOTOS;
  if (photos === undefined || !existsSync(photos))
    throw new Error(`no photos in ${photos}: make docs-commands DATA=folder`);
  await symlink(path.join(ROOT, '.venv'), path.join(folder, '.venv'));
  await utimes(path.join(folder, 'serving/training/requirements.lock'), 0, 0);
  await symlink(photos, path.join(folder, 'photos'));
}
