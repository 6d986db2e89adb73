/** Writing that survives a kill and a power cut: a file is whole, and on the disk, before anything relies on it. */
import { chmod, link, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

/** Brings a file's contents, or a folder's entries, to the disk. */
export async function sync(target: string): Promise<void> {
  await using handle = await open(target, 'r');
  await handle.sync();
}

/** Writes a file and brings its contents to the disk; its entry in the folder is the caller's to sync. */
export async function writeSynced(file: string, content: string | Buffer): Promise<void> {
  await using handle = await open(file, 'w');
  await handle.writeFile(content);
  await handle.sync();
}

/**
 * Makes a file that appears whole and once, however many try. Gives false where it was there already. `draft` is a
 * name of the caller's own on the same file system.
 */
export async function createWhole(file: string, content: string | Buffer, draft: string): Promise<boolean> {
  try {
    await writeSynced(draft, content);
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
  await sync(path.dirname(file));
  return true;
}

/** Replaces a file, of which readers see the old text or the new one. Its mode stays. */
export async function replaceWhole(file: string, content: string | Buffer): Promise<void> {
  const draft = path.join(path.dirname(file), `.${path.basename(file)}-${process.pid}`);
  const { mode } = await stat(file);
  try {
    await writeSynced(draft, content);
    await chmod(draft, mode & 0o777);
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  await sync(path.dirname(file));
}
