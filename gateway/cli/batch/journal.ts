/**
 * The journal of a batch: every result as one line, in the order in which they came. After a kill it says what is done. A line is
 * appended in one write; one that a kill has cut is removed when the journal is opened again, and its item is done again.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { ConfigError } from '../../config/read.ts';
import type { Row } from './row.ts';

/** What a run has to have in common with the one that it resumes. */
export type JournalHead = {
  readonly input: string;
  readonly fingerprint: string;
  readonly total: number;
  readonly shard: string;
  readonly model: string;
};

const READ_BYTES = 1 << 20;
const NEWLINE = 0x0a;
const NOT_DONE = -1;

export class Journal {
  readonly #fd: number;
  /** Where the line of each item is, by its index. */
  readonly #starts: Float64Array;
  readonly #lengths: Uint32Array;
  #end = 0;
  #done = 0;

  /** Opens or creates it. Throws ConfigError if it belongs to another batch. */
  constructor(file: string, head: JournalHead) {
    this.#fd = openSync(file, 'a+', 0o666);
    this.#starts = new Float64Array(head.total).fill(NOT_DONE);
    this.#lengths = new Uint32Array(head.total);
    const wanted = JSON.stringify(head);
    const first = this.#read(wanted, file);
    if (!first) this.#write(`${wanted}\n`);
  }

  /** How many items the whole input has. */
  get items(): number {
    return this.#starts.length;
  }

  /** How many items are done. */
  get done(): number {
    return this.#done;
  }

  has(index: number): boolean {
    return this.#starts[index] !== NOT_DONE;
  }

  /** Appends results. A second one for an item is dropped. */
  append(rows: readonly Row[]): void {
    const lines: string[] = [];
    let end = this.#end;
    for (const row of rows.filter(({ index }) => !this.has(index))) {
      const line = JSON.stringify(row);
      const bytes = Buffer.byteLength(line);
      this.#note(row.index, end, bytes);
      end += bytes + 1;
      lines.push(`${line}\n`);
    }
    this.#write(lines.join(''));
  }

  /** The lines of the results, in the order of the input. */
  *lines(): Generator<string> {
    for (const [index, start] of this.#starts.entries()) {
      if (start === NOT_DONE) continue;
      const bytes = Buffer.allocUnsafe(this.#lengths[index] ?? 0);
      readSync(this.#fd, bytes, 0, bytes.length, start);
      yield bytes.toString();
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #note(index: number, start: number, bytes: number): void {
    this.#starts[index] = start;
    this.#lengths[index] = bytes;
    this.#done += 1;
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    this.#end += bytes.length;
  }

  /** Reads the lines up to the first that is not whole, and removes what follows. False if there is no first line. */
  #read(wanted: string, file: string): boolean {
    let isFirst = true;
    for (const { line, start } of wholeLines(this.#fd)) {
      if (isFirst && line.toString() !== wanted) throw new ConfigError(differs(line.toString(), wanted, file));
      const index = isFirst ? undefined : indexOf(line);
      if (!isFirst && index === undefined) break;
      if (index !== undefined && index < this.#starts.length && !this.has(index)) this.#note(index, start, line.length);
      this.#end = start + line.length + 1;
      isFirst = false;
    }
    ftruncateSync(this.#fd, this.#end);
    return !isFirst;
  }
}

/** The lines of a file that end with a newline. */
function* wholeLines(fd: number): Generator<{ readonly line: Buffer; readonly start: number }> {
  const { size } = fstatSync(fd);
  let rest = Buffer.alloc(0);
  let start = 0;
  for (let at = 0; at < size; ) {
    const chunk = Buffer.allocUnsafe(Math.min(READ_BYTES, size - at));
    at += readSync(fd, chunk, 0, chunk.length, at);
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let from = 0;
    for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
      yield { line: bytes.subarray(from, to), start: start + from };
      from = to + 1;
    }
    rest = bytes.subarray(from);
    start += from;
  }
}

/** The index of a result; undefined for a line that is none, such as zeros after a power failure. */
function indexOf(line: Buffer): number | undefined {
  try {
    const { index } = JSON.parse(line.toString()) as Row;
    return Number.isInteger(index) && index >= 0 ? index : undefined;
  } catch {
    return undefined; // that is the answer
  }
}

function differs(found: string, wanted: string, file: string): string {
  const how = (text: string): Partial<JournalHead> => {
    try {
      return JSON.parse(text);
    } catch {
      return {}; // the file is no journal at all
    }
  };
  const [before, now] = [how(found), how(wanted)];
  const fields = Object.keys(now) as (keyof JournalHead)[];
  const field = fields.find((name) => before[name] !== now[name]) ?? 'input';
  const change =
    field === 'fingerprint' ? 'the input has changed' : `${field} was ${before[field]}, and is ${now[field]}`;
  return `${file} is of another batch: ${change}; finish that one, or remove the file to start anew`;
}
