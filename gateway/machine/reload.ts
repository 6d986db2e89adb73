/** A value loaded from files, and loaded again when they change. */
import { unwatchFile, watchFile } from 'node:fs';
import type { Log } from '../domain/request.ts';

/** Kubernetes takes about a minute to update a mounted Secret. Each poll costs one stat() per file. */
const POLL_MS = 5000;

export type Reloading<T> = { readonly current: T; close(): void };
export type ReloadOptions<T> = {
  readonly files: readonly string[];
  readonly load: () => T;
  /** Called with each value loaded after a change. */
  readonly onChange?: (value: T) => void;
  readonly log: Log;
  readonly pollMs?: number;
};

/**
 * Loads the value and throws the errors of the first `load`. Later errors are logged and the previous value stays.
 * Polls with stat(): a mounted Secret changes by replacing a symbolic link, which file watchers do not report.
 */
export function reloading<T>({ files, load, onChange, log, pollMs = POLL_MS }: ReloadOptions<T>): Reloading<T> {
  let current = load();
  const reload = () => {
    try {
      current = load();
      onChange?.(current);
      log.info({ files }, 'reloaded the changed file');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error({ files, reason }, 'cannot load the changed file; keeping the previous content');
    }
  };
  for (const file of files) watchFile(file, { interval: pollMs, persistent: false }, reload);
  return {
    get current() {
      return current;
    },
    close() {
      for (const file of files) unwatchFile(file, reload);
    },
  };
}
