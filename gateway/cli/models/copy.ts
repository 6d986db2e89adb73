/** Copies a version into a folder that nobody looks at yet. */
import { chmod, copyFile, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { sync } from './disk.ts';
import { ModelsError } from './failure.ts';

/** A file of a version: its path inside the version's folder, and its size. */
export type VersionFile = { readonly name: string; readonly bytes: number };

/** Whoever may read the model's folder may read its versions, however private training's own files are. */
const READABLE = 0o644;

/**
 * Copies the files of a version into the new folder `to` and brings all of it to the disk. Throws `failed` when a file
 * has not the size that was seen, because somebody still writes it.
 */
export async function copyVersion(from: string, files: readonly VersionFile[], to: string): Promise<void> {
  await mkdir(to);
  const folders = new Set([to, ...files.flatMap(({ name }) => foldersOf(name)).map((name) => path.join(to, name))]);
  for (const folder of folders) await mkdir(folder, { recursive: true });
  for (const { name, bytes } of files) {
    const target = path.join(to, name);
    await copyFile(path.join(from, name), target);
    await chmod(target, READABLE);
    await sync(target);
    if ((await stat(target)).size === bytes) continue;
    throw new ModelsError('failed', `${path.join(from, name)}: changed while it was copied; nothing was pushed`);
  }
  for (const folder of folders) await sync(folder);
}

/** The folders that a file lies in: a and a/b of a/b/c. */
function foldersOf(name: string): string[] {
  const parts = name.split(path.sep).slice(0, -1);
  return parts.map((_, index) => path.join(...parts.slice(0, index + 1)));
}
