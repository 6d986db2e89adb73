/** The folders with a dot in front that a push and a deletion work in, and what becomes of those left behind. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';

const STAGE = /^\.push-(\d+)@(.*)-.{6}$/;
const DELETED = /^\.deleted-/;

/** Processes of other machines cannot be looked up, but no copy takes this long. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/** Makes the folder that a push works in; its name tells whose it is. In the model's folder, so that a rename publishes. */
export function makeStage(model: string): Promise<string> {
  return mkdtemp(path.join(model, `.push-${process.pid}@${hostname()}-`));
}

/** Deletes a folder in a model's folder: at once for everybody else, then file by file. */
export async function deleteAtOnce(folder: string): Promise<void> {
  const away = path.join(path.dirname(folder), `.deleted-${randomUUID()}`);
  await rename(folder, away);
  await rm(away, { recursive: true, force: true });
}

/** Removes what killed pushes and deletions left behind; that of living ones stays. */
export async function removeLeftovers(model: string): Promise<void> {
  for (const name of await readdir(model)) {
    const folder = path.join(model, name);
    if (DELETED.test(name)) await rm(folder, { recursive: true, force: true });
    else if (STAGE.test(name)) await removeAbandoned(folder);
  }
}

async function removeAbandoned(stage: string): Promise<void> {
  try {
    // At once: a push that lives unseen, on another machine of this name, must find nothing to publish, never a part.
    if (await isAbandoned(stage)) await deleteAtOnce(stage);
  } catch (error) {
    // Its own push has ended, or another one was quicker.
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
    // EPERM: it is another user's. Only ESRCH says that there is none.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
