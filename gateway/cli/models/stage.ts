/** Staging folders of pushes and deletions, hidden by a leading dot, and the removal of abandoned ones. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';

const STAGE = /^\.push-(\d+)@(.*)-.{6}$/;
const DELETED = /^\.deleted-/;

/** Processes on other machines cannot be looked up. No copy takes this long. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/**
 * Creates the staging folder of a push. Its name contains the process and the host. A rename from it is atomic: it is
 * in the model's folder.
 */
export function makeStage(model: string): Promise<string> {
  return mkdtemp(path.join(model, `.push-${process.pid}@${hostname()}-`));
}

/** Deletes a folder in a model's folder: a rename hides it atomically, then its files are deleted. */
export async function deleteAtomically(folder: string): Promise<void> {
  const away = path.join(path.dirname(folder), `.deleted-${randomUUID()}`);
  await rename(folder, away);
  await rm(away, { recursive: true, force: true });
}

/** Removes what killed pushes and deletions left. Keeps the folders of running ones. */
export async function removeLeftovers(model: string): Promise<void> {
  for (const name of await readdir(model)) {
    const folder = path.join(model, name);
    if (DELETED.test(name)) await rm(folder, { recursive: true, force: true });
    else if (STAGE.test(name)) await removeAbandoned(folder);
  }
}

async function removeAbandoned(stage: string): Promise<void> {
  try {
    // Atomically: a push that still runs on another machine with this host name must not publish a partial folder.
    if (await isAbandoned(stage)) await deleteAtomically(stage);
  } catch (error) {
    // Its push has ended, or another process has removed it.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function isAbandoned(stage: string): Promise<boolean> {
  const [, pid, host] = STAGE.exec(path.basename(stage)) ?? [];
  if (host === hostname() && !isRunning(Number(pid))) return true;
  const { mtimeMs } = await stat(stage);
  return Date.now() - mtimeMs > ABANDONED_MS;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process is another user's. ESRCH: there is none.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
