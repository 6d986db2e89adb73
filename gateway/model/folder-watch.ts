/** Reads MODELS again and again, so that new, changed and removed models need no restart. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../domain/request.ts';
import type { ModelFolders, ModelsFolder } from './folders.ts';

/** Polling also works on network file systems and Kubernetes mounts, which send no change events. */
const POLL_MS = 2000;

export type FolderWatchOptions = {
  readonly folder: ModelsFolder;
  readonly log: Log;
  /** Called after each read, changed or not. */
  readonly onRead: (folders: ModelFolders) => Promise<void> | void;
};

/** Watches until the signal is aborted. While the folder cannot be read, the models stay as they are. */
export async function watchFolders({ folder, log, onRead }: FolderWatchOptions, signal: AbortSignal): Promise<void> {
  let lastProblem: string | undefined;
  while (!signal.aborted) {
    // A sleep fails only on abort, which the condition of the loop checks.
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    let problem: string | undefined;
    try {
      await onRead(await folder.read());
    } catch (cause) {
      problem = cause instanceof Error ? cause.message : String(cause);
      if (problem !== lastProblem) log.warn({ cause }, 'the models folder cannot be read; the models stay as they are');
    }
    lastProblem = problem;
  }
}
