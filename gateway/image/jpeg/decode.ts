/**
 * Decodes a JPEG to Pillow's pixels, and of these only the ones that are asked for: baseline, extended and progressive
 * files of 8 bits in gray or YCbCr, of every sampling. docs/preprocessing.md says which files are left to sharp.
 */
import { giveProgram, isTrap, type Program, takeProgram } from './program.ts';

/** What the headers say. */
export type JpegFrame = {
  readonly width: number;
  readonly height: number;
  /** Whether the file has one component. */
  readonly isGray: boolean;
  /** Whether it comes in several scans, as progressive files do: all coefficients are kept, 2 bytes for each. */
  readonly isKept: boolean;
};

/** The pixels that are wanted: numbers of columns and rows, each ascending. A number may be there several times. */
export type JpegSelection = {
  readonly columns: Int32Array;
  readonly rows: Int32Array;
  /** 3 for RGB, 1 for gray as by Pillow's `convert("L")`. */
  readonly channels: 1 | 3;
};

/**
 * `ok`, or why there are no pixels. `declined`: the reader chose none. `not ours`: CMYK, RGB, 12 bits, arithmetic coding or something rare. `damaged`: also
 * where libjpeg would save a part. `cut off`: the file ends before its last pixel; Pillow refuses it. `no memory`: for this picture. `trap`: a bug, without effect on other pictures.
 */
export type JpegResult = 'ok' | 'declined' | 'not ours' | 'damaged' | 'cut off' | 'no memory' | 'trap';

/** By the numbers of assembly/status.ts. */
const RESULTS: readonly JpegResult[] = ['ok', 'not ours', 'damaged', 'cut off', 'no memory'];

export type JpegReader = {
  /** Chooses the pixels by the picture's size. Undefined to leave the picture alone. */
  select(frame: JpegFrame): JpegSelection | undefined;
  /**
   * Takes the next rows, `count` of them, from row `first` of the selection on. The samples are there only during the
   * call. They are good only if the result is `ok` in the end.
   */
  take(samples: Uint8Array, first: number, count: number): void;
};

/** Far above MAX_IMAGE_BYTES. The program counts bits in 32 bits. */
const MOST_BYTES = 2 ** 27;

/** Decodes one picture in one go: a megapixel takes about 5 ms. Throws only what the reader throws. */
export function decodeJpeg(bytes: Uint8Array, reader: JpegReader): JpegResult {
  if (bytes.length > MOST_BYTES) return 'not ours';
  const program = takeProgram();
  if (!program) return 'no memory';
  try {
    const result = run(program, bytes, reader);
    giveProgram(program);
    return result;
  } catch (error) {
    // The program is dropped: it ended in the middle of a picture, or its reader did.
    if (isTrap(error)) return 'trap';
    throw error;
  }
}

function run(program: Program, bytes: Uint8Array, reader: JpegReader): JpegResult {
  const file = program.room(bytes.length);
  if (file === 0) return 'no memory';
  new Uint8Array(program.memory.buffer, file, bytes.length).set(bytes);
  const begun = resultOf(program.begin());
  if (begun !== 'ok') return begun;
  const selection = reader.select(frameOf(program));
  if (!selection) return 'declined';
  const started = start(program, selection);
  if (started !== 'ok') return started;
  const rowBytes = selection.columns.length * selection.channels;
  for (let first = 0; ; ) {
    const count = program.next();
    if (count === 0) return resultOf(program.status());
    reader.take(new Uint8Array(program.memory.buffer, program.window(), count * rowBytes), first, count);
    first += count;
  }
}

function resultOf(status: number): JpegResult {
  return RESULTS[status] ?? 'trap';
}

function frameOf(program: Program): JpegFrame {
  return {
    width: program.width(),
    height: program.height(),
    isGray: program.components() === 1,
    isKept: program.isKept() !== 0,
  };
}

/** @throws RangeError for a selection that is empty, does not ascend or leaves the picture. */
function start(program: Program, { columns, rows, channels }: JpegSelection): JpegResult {
  if (!isWithin(columns, program.width()) || !isWithin(rows, program.height())) {
    throw new RangeError('the pixels that are asked for do not ascend within the picture');
  }
  const selected = resultOf(program.select(columns.length, rows.length, channels));
  if (selected !== 'ok') return selected;
  new Int32Array(program.memory.buffer, program.columnTable(), columns.length).set(columns);
  new Int32Array(program.memory.buffer, program.rowTable(), rows.length).set(rows);
  return resultOf(program.start());
}

function isWithin(numbers: Int32Array, limit: number): boolean {
  let last = 0;
  for (const number of numbers) {
    if (number < last) return false;
    last = number;
  }
  return numbers.length > 0 && last < limit;
}
