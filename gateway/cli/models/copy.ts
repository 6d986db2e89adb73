/** Copies a version into a staging folder. */
import { chmod, copyFile, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { fsync } from './disk.ts';
import { ModelsError } from './failure.ts';

/** A file of a version: its path relative to the version's folder, and its size. */
export type VersionFile = { readonly name: string; readonly bytes: number };

/** Published files are readable for all users of the model's folder, whatever the mode of the source files. */
const READABLE = 0o644;

/**
 * Copies the files of a version into the new folder `to`, with fsync. Throws `failed` if the size of a file has
 * changed: another process still writes it.
 */
export async function copyVersion(from: string, files: readonly VersionFile[], to: string): Promise<void> {
  await mkdir(to);
  const folders = new Set([to, ...files.flatMap(({ name }) => foldersOf(name)).map((name) => path.join(to, name))]);
  for (const folder of folders) await mkdir(folder, { recursive: true });
  for (const { name, bytes } of files) {
    const target = path.join(to, name);
    await copyFile(path.join(from, name), target);
    await chmod(target, READABLE);
    await fsync(target);
    if ((await stat(target)).size === bytes) continue;
    throw new ModelsError('failed', `${path.join(from, name)}: changed while it was copied; nothing was pushed`);
  }
  for (const folder of folders) await fsync(folder);
}

/** The parent folders of a file: a and a/b for a/b/c. */
function foldersOf(name: string): string[] {
  const parts = name.split(path.sep).slice(0, -1);
  return parts.map((_, index) => path.join(...parts.slice(0, index + 1)));
}
