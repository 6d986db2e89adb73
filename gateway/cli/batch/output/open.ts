/** Finds where the output of a batch and its journal are: in a folder, or in a bucket. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { isBucketText } from '../../../fetch/bucket/url.ts';
import { Journal } from '../journal.ts';
import type { Scratch } from '../scratch.ts';
import { isWrittenAlready, type Place } from './place.ts';
import { outputForm, writeOutput } from './write.ts';

/**
 * Finds the place. Throws ConfigError for an output that is there without a journal: it is not overwritten. Throws Refused if a
 * bucket does not answer.
 */
export async function openPlace(output: string, scratch: Scratch): Promise<Place> {
  outputForm(output);
  if (!isBucketText(output)) return openFilePlace(output);
  const { openBucketPlace } = await import('../bucket/output.ts');
  return openBucketPlace(output, scratch);
}

function openFilePlace(output: string): Place {
  const file = `${output}.journal`;
  const isWritten = isWrittenAlready(output, { isThere: existsSync(output), hasJournal: existsSync(file) });
  mkdirSync(path.dirname(output), { recursive: true });
  return {
    isWritten,
    openJournal: async (head) => new Journal(file, head),
    keep: async () => {}, // a result is in the file before the next is sent
    write: (journal) => writeOutput(() => journal.lines(), output),
    removeJournal: async () => rmSync(file),
  };
}
