/** A value read from files, and read again when they change. */
import { unwatchFile, watchFile } from 'node:fs';
import type { Log } from '../domain/request.ts';

/** Kubernetes takes a minute to bring a changed Secret; asking costs one stat(). */
const POLL_MS = 5000;

export type Reloading<T> = { readonly current: T; close(): void };
export type ReloadOptions<T> = {
  readonly files: readonly string[];
  readonly load: () => T;
  /** With what a changed file gave. */
  readonly onChange?: (value: T) => void;
  readonly log: Log;
  readonly pollMs?: number;
};

/**
 * Loads now, and throws what `load` throws. Later a change that cannot be loaded is logged as an error and what was
 * loaded before stays. Looks by stat(), because a mounted Secret changes by a link, which does not tell its watchers.
 */
export function reloading<T>({ files, load, onChange, log, pollMs = POLL_MS }: ReloadOptions<T>): Reloading<T> {
  let current = load();
  const again = () => {
    try {
      current = load();
      onChange?.(current);
      log.info({ files }, 'read the changed file');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error({ files, reason }, 'the changed file cannot be read; what it said before stays in force');
    }
  };
  for (const file of files) watchFile(file, { interval: pollMs, persistent: false }, again);
  return {
    get current() {
      return current;
    },
    close() {
      for (const file of files) unwatchFile(file, again);
    },
  };
}
