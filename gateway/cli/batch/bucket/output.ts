/**
 * --output in a bucket. An object cannot be appended to, so the journal is a file of this machine, and what is new in it is copied to
 * an object below `OUTPUT.journal/` every few seconds. Each object is written once, and whole. A later run, on any machine, begins
 * with the results in them; a kill costs the predictions since the last one, which are made again.
 */
import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import path from 'node:path';
import { Journal } from '../journal.ts';
import { isWrittenAlready, type Place } from '../output/place.ts';
import { writeOutput } from '../output/write.ts';
import type { Scratch } from '../scratch.ts';
import { openBucket } from './client.ts';
import { JournalCopy, restoreJournal } from './journal-copy.ts';
import { parsePlace } from './place.ts';

/** Opens the place. Throws ConfigError, and BucketError. */
export async function openBucketPlace(output: string, scratch: Scratch): Promise<Place> {
  const place = parsePlace(output, '--output');
  const bucket = openBucket(place);
  const folder = `${place.name}.journal/`;
  const names = await Array.fromAsync(bucket.list(place.name));
  const parts = names.filter((name) => name.startsWith(folder));
  const isThere = names.includes(place.name);
  const isWritten = isWrittenAlready(output, { isThere, hasJournal: parts.length > 0 });
  const lost = new AbortController();
  let copy: JournalCopy | undefined;
  return {
    isWritten,
    failed: lost.signal,
    async openJournal(head) {
      const file = await scratch.file('journal');
      await restoreJournal(bucket, parts, file);
      const journal = new Journal(file, head);
      const write = (part: Blob) => {
        // Names never meet, even where a lost node still runs the pod that another one replaces.
        const name = `${folder}${Date.now()}-${randomUUID()}.ndjson`;
        parts.push(name);
        return bucket.write(name, part);
      };
      copy = new JournalCopy(file, head, { write, onError: (error) => lost.abort(error) });
      return journal;
    },
    keep: async () => copy?.end(),
    async write(journal) {
      const file = await scratch.file(path.posix.basename(place.name));
      await writeOutput(() => journal.lines(), file);
      await bucket.write(place.name, await openAsBlob(file));
    },
    async removeJournal() {
      for (const name of parts) await bucket.remove(name);
    },
  };
}
