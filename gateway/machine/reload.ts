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
 * Loads the value and throws the errors of the first `load`. Later errors are logged, the previous value stays, and the
 * files are loaded again at each poll until it succeeds: the process may have had no descriptor left for them.
 * Polls with stat(): a mounted Secret changes by replacing a symbolic link, which file watchers do not report.
 */
export function reloading<T>({ files, load, onChange, log, pollMs = POLL_MS }: ReloadOptions<T>): Reloading<T> {
  let current = load();
  let lastReason: string | undefined;
  let again: NodeJS.Timeout | undefined;
  const reload = () => {
    clearTimeout(again);
    try {
      current = load();
      onChange?.(current);
      lastReason = undefined;
      log.info({ files }, 'reloaded the changed file');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== lastReason)
        log.error({ files, reason }, 'cannot load the changed file; keeping the previous content');
      lastReason = reason;
      again = setTimeout(reload, pollMs).unref();
    }
  };
  for (const file of files) watchFile(file, { interval: pollMs, persistent: false }, reload);
  return {
    get current() {
      return current;
    },
    close() {
      clearTimeout(again);
      for (const file of files) unwatchFile(file, reload);
    },
  };
}
