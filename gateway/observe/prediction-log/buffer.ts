/** The lines that wait to be written: bounded, and written each second. Nothing waits for them. */

/** A line waits at most so long before its write begins: what a kill of the process loses. */
const FLUSH_MS = 1000;
/** Lines that are written at once, by their characters. */
const CHUNK_LENGTH = 256 * 1024;
/** Lines that wait, by their characters. Further lines are dropped. */
const MAX_LENGTH = 8 * 2 ** 20;

/** Some lines of a write were lost. */
export class LinesLost extends Error {
  readonly count: number;

  constructor(message: string, count: number) {
    super(message);
    this.count = count;
  }
}

/** Where lines go. One write at a time. Rejects with LinesLost where some of its lines are lost, else all of them are. */
export type Destination = {
  write(lines: readonly string[], signal: AbortSignal): Promise<void>;
  /** Called once, after the last write. */
  close(): Promise<void>;
};

export type Outcome = 'written' | 'buffer_full' | 'write_failed';

export type BufferOptions = {
  readonly destination: Destination;
  /** What became of lines. */
  readonly onOutcome: (outcome: Outcome, lines: number) => void;
  /** Called for the first failure in a row, and with undefined when a write succeeds again. */
  readonly onTrouble: (cause: unknown) => void;
  readonly flushMs?: number;
  readonly maxLength?: number;
};

export class LineBuffer {
  readonly #options: BufferOptions;
  readonly #abort = new AbortController();
  #lines: string[] = [];
  /** The length of `#lines`. */
  #waiting = 0;
  /** The same with the lines that are being written. */
  #length = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #isDue = false;
  #hasTrouble = false;

  constructor(options: BufferOptions) {
    this.#options = options;
  }

  /** Adds a line, without its line feed. False where there is no room: it is dropped and counted. */
  add(line: string): boolean {
    const { maxLength = MAX_LENGTH, flushMs = FLUSH_MS, onOutcome } = this.#options;
    if (this.#length + line.length > maxLength) {
      onOutcome('buffer_full', 1);
      return false;
    }
    this.#lines.push(line);
    this.#length += line.length;
    this.#waiting += line.length;
    if (this.#waiting >= CHUNK_LENGTH) void this.#flush();
    else this.#timer ??= setTimeout(() => void this.#flush(), flushMs).unref();
    return true;
  }

  /** Writes what waits, in `withinMs` at most; then lines that are left are lost and counted. Closes the destination. */
  async close(withinMs: number): Promise<void> {
    const timer = setTimeout(() => this.#abort.abort(new Error('the gateway has stopped')), withinMs);
    await this.#flush();
    clearTimeout(timer);
    await this.#options.destination.close();
  }

  /** Writes all lines that wait now. Those that come meanwhile wait for their own time, so that writes stay few. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isDue = true;
    this.#writing ??= this.#writeDue().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeDue(): Promise<void> {
    while (this.#isDue) {
      this.#isDue = false;
      const waiting = this.#lines;
      this.#lines = [];
      this.#waiting = 0;
      for (const lines of chunksOf(waiting)) {
        await this.#write(lines);
        this.#length -= lengthOf(lines);
      }
    }
  }

  async #write(lines: readonly string[]): Promise<void> {
    const { destination, onOutcome } = this.#options;
    try {
      this.#abort.signal.throwIfAborted();
      await destination.write(lines, this.#abort.signal);
      onOutcome('written', lines.length);
      this.#tell(undefined);
    } catch (cause) {
      const lost = cause instanceof LinesLost ? cause.count : lines.length;
      onOutcome('written', lines.length - lost);
      onOutcome('write_failed', lost);
      this.#tell(cause);
    }
  }

  #tell(cause: unknown): void {
    const hasTrouble = cause !== undefined;
    if (hasTrouble !== this.#hasTrouble) this.#options.onTrouble(cause);
    this.#hasTrouble = hasTrouble;
  }
}

/** Parts of about CHUNK_LENGTH, at least one line each. */
function* chunksOf(lines: readonly string[]): Generator<readonly string[]> {
  let start = 0;
  let length = 0;
  for (const [index, line] of lines.entries()) {
    if (length > 0 && length + line.length > CHUNK_LENGTH) {
      yield lines.slice(start, index);
      start = index;
      length = 0;
    }
    length += line.length;
  }
  if (start < lines.length) yield lines.slice(start);
}

function lengthOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length, 0);
}
