/** Copies a journal to objects while it grows, and makes it of them again. */
import { statSync } from 'node:fs';
import { appendFile, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../../../config/read.ts';
import type { JournalHead } from '../journal.ts';
import type { BucketClient } from './client.ts';

const EVERY_MS = 5000;
/** Parts that are read at once. */
const AT_ONCE = 8;

/**
 * Makes the journal of its parts, each of which begins with the head. Without parts there is no file. Throws ConfigError for parts of
 * different batches, and BucketError.
 */
export async function restoreJournal(
  { read }: Pick<BucketClient, 'read'>,
  parts: readonly string[],
  file: string,
): Promise<void> {
  let first: string | undefined;
  for (let at = 0; at < parts.length; at += AT_ONCE) {
    const names = parts.slice(at, at + AT_ONCE);
    for (const [index, bytes] of (await Promise.all(names.map(read))).entries()) {
      const end = bytes.indexOf('\n');
      const head = bytes.toString('utf8', 0, end);
      if (first !== undefined && head !== first) {
        throw new ConfigError(`${names[index]} is of another batch than ${parts[0]}: remove the parts of one of them`);
      }
      await appendFile(file, first === undefined ? bytes : bytes.subarray(end + 1));
      first = head;
    }
  }
}

/** Copies what is appended to a journal from now on, until `end`. */
export class JournalCopy {
  readonly #file: string;
  readonly #head: string;
  readonly #write: (part: Blob) => Promise<void>;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;
  #copied: number;

  /** `write` writes one object. `onError` is called when it has failed; then nothing more is copied. */
  constructor(
    file: string,
    head: JournalHead,
    { write, onError }: { write: (part: Blob) => Promise<void>; onError: (error: unknown) => void },
  ) {
    this.#file = file;
    this.#head = `${JSON.stringify(head)}\n`;
    this.#write = write;
    this.#copied = statSync(file).size;
    this.#running = this.#run();
    this.#running.catch(onError);
  }

  /** Copies the rest. Rejects if something could not be copied. */
  async end(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await sleep(EVERY_MS, undefined, { signal }).catch((error) => {
        if (!signal.aborted) throw error;
      });
      await this.#copy();
    }
  }

  /** Copies the journal up to its end. It is appended to in whole lines. */
  async #copy(): Promise<void> {
    const from = this.#copied;
    const { size } = statSync(this.#file);
    if (size === from) return;
    await using file = await open(this.#file);
    const bytes = Buffer.alloc(size - from);
    await file.read(bytes, 0, bytes.length, from);
    await this.#write(new Blob([this.#head, bytes]));
    this.#copied = size;
  }
}
