/** Atomic, durable writes: after a kill or a power failure a file is complete or absent. */
import { chmod, link, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

/** Flushes a file's contents, or a folder's entries, to the disk. */
export async function fsync(target: string): Promise<void> {
  await using handle = await open(target, 'r');
  await handle.sync();
}

/** Writes a file and flushes its contents. The caller must fsync the folder. */
export async function writeSynced(file: string, content: string | Buffer): Promise<void> {
  await using handle = await open(file, 'w');
  await handle.writeFile(content);
  await handle.sync();
}

/**
 * Creates a complete file atomically. Of several processes one succeeds; false if the file exists. `draft` is a
 * temporary file name, unique to the caller and on the same file system.
 */
export async function createAtomically(file: string, content: string | Buffer, draft: string): Promise<boolean> {
  try {
    await writeSynced(draft, content);
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
  await fsync(path.dirname(file));
  return true;
}

/** Replaces a file atomically: readers see the old content or the new. Keeps its mode. */
export async function replaceAtomically(file: string, content: string | Buffer): Promise<void> {
  const { mode } = await stat(file);
  await writeAtomically(file, content, mode & 0o777);
}

/** Creates or replaces a file atomically. `mode`: its permissions, by default those of a new file. */
export async function writeAtomically(file: string, content: string | Buffer, mode?: number): Promise<void> {
  const draft = path.join(path.dirname(file), `.${path.basename(file)}-${process.pid}`);
  try {
    await writeSynced(draft, content);
    if (mode !== undefined) await chmod(draft, mode);
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  await fsync(path.dirname(file));
}
