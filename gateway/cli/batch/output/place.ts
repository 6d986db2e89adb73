/** What a batch needs of the place of its output and its journal. */
import { ConfigError } from '../../../config/read.ts';
import type { Journal, JournalHead } from '../journal.ts';

export type Place = {
  /** Whether the output is there, and only its journal has to be removed. */
  readonly isWritten: boolean;
  /** Opens the journal, with the results of earlier runs. Throws ConfigError if it belongs to another batch. */
  openJournal(head: JournalHead): Promise<Journal>;
  /** Aborted when results can no longer be kept; its reason says why. */
  readonly failed?: AbortSignal;
  /** Resolves when all results so far would survive the end of this machine. */
  keep(): Promise<void>;
  /** Writes the output: at any moment there is the whole output or none. */
  write(journal: Journal): Promise<void>;
  /** Removes the journal. */
  removeJournal(): Promise<void>;
};

/** What is known of an output before the batch. Throws ConfigError. */
export function isWrittenAlready(output: string, found: { isThere: boolean; hasJournal: boolean }): boolean {
  if (!found.isThere || found.hasJournal) return found.isThere;
  throw new ConfigError(`--output ${output}: exists already; remove it, or name another file`);
}
