/**
 * The passes of Pillow's 8-bit resize in WebAssembly SIMD (assembly/index.ts): the same result as passes8, several
 * times as fast. The memory has a fixed size, because it can never shrink. Pictures pass through it in strips of rows.
 */
import { readFileSync } from 'node:fs';
import { type Part, type Passes, passes8 } from './passes.ts';
import { pairsOf, type SimdTaps, START_BYTES, simdTapsOf } from './simd-taps.ts';
import type { Taps } from './taps.ts';

/** Addresses and lengths are in bytes; assembly/index.ts describes them. */
type RowKernel = (row: number, runs: number, pairs: number, to: number, end: number) => void;

type Kernels = {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly sumRows: (rows: number, stride: number, weights: number, pairs: number, to: number, end: number) => void;
  readonly sumRgb: RowKernel;
  readonly sumGray: RowKernel;
};

/** The part that is used. TypeScript has these types only in its library for browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

const program = new WebAssembly.Module(readFileSync(new URL('convolve.wasm', import.meta.url)));
// Shared by all resamplers of a thread: each pass overwrites the memory.
const { memory, sumRows, sumRgb, sumGray } = new WebAssembly.Instance(program).exports as Kernels;
const bytes = new Uint8Array(memory.buffer);

/** Bytes that the kernels may read or write past the end of a row. */
const SLACK = 8;

/** What is kept for results. Larger ones, of a part of few columns that grow to many, get memory of their own. */
const KEPT_BYTES = 2 ** 20;

/** Makes memory for the results of a pass, which is used again: a megabyte for each picture would keep the garbage collector busy. */
function createResults(): (length: number) => Uint8Array {
  let kept = new Uint8Array(0);
  return (length) => {
    if (length > KEPT_BYTES) return new Uint8Array(length);
    if (length > kept.length) kept = new Uint8Array(length);
    return kept.subarray(0, length);
  };
}

const acrossResult = createResults();
const downResult = createResults();

/**
 * The memory holds the taps first, then source rows, then target rows. Where one row and its result, or the rows that
 * one target row sums, do not fit, passes8 computes the picture: a very tall one of some 40 megapixels.
 */
export const simdPasses8: Passes<Uint8Array, Int32Array> = {
  horizontal(source, part, taps) {
    const { stride, channels, from, to } = part;
    const [sumRow, tapsAtOnce] = channels === 3 ? [sumRgb, 2] : [sumGray, 4];
    const { words, pairs } = preparedFor(taps, part, tapsAtOnce);
    const row = taps.starts.length * channels;
    const overrun = 2 * pairs * channels + SLACK; // the kernel reads all pairs of a run, also those of zeros only
    const capacity = Math.floor((bytes.length - words.byteLength - overrun) / (stride + row));
    if (capacity < 1) return passes8.horizontal(source, part, taps);
    new Int32Array(memory.buffer).set(words);
    const target = acrossResult((to - from) * row);
    const sourceAt = words.byteLength;
    const targetAt = sourceAt + capacity * stride;
    for (let y = from; y < to; y += capacity) {
      const rows = Math.min(capacity, to - y);
      bytes.set(source.subarray(y * stride, (y + rows) * stride), sourceAt);
      for (let i = 0; i < rows; i++) {
        sumRow(sourceAt + i * stride, 0, pairs, targetAt + i * row, targetAt + (i + 1) * row);
      }
      target.set(bytes.subarray(targetAt, targetAt + rows * row), (y - from) * row);
    }
    return target;
  },

  vertical(source, part, taps) {
    const { starts, counts } = taps;
    const { words, runBytes, pairs } = simdTapsOf(taps, part, 2);
    const row = part.to - part.from;
    const capacity = Math.floor((bytes.length - words.byteLength - SLACK) / row);
    if (capacity < 2 * pairs + 1) return passes8.vertical(source, part, taps);
    new Int32Array(memory.buffer).set(words);
    const target = downResult(starts.length * row);
    for (let y = 0; y < starts.length; ) {
      const strip = stripFrom(y, taps, capacity);
      const sourceAt = words.byteLength;
      const targetAt = sourceAt + strip.sourceRows * row;
      copyRows(source, part, starts[y] as number, bytes.subarray(sourceAt, targetAt));
      for (let i = 0; i < strip.targetRows; i++) {
        const run = y + i;
        const rowsAt = sourceAt + ((starts[run] as number) - (starts[y] as number)) * row;
        const to = targetAt + i * row;
        sumRows(rowsAt, row, run * runBytes + START_BYTES, pairsOf(counts[run] as number, 2), to, to + row);
      }
      target.set(bytes.subarray(targetAt, targetAt + strip.targetRows * row), y * row);
      y += strip.targetRows;
    }
    return target;
  },
};

type Prepared = { readonly origin: number; readonly channels: number; readonly taps: SimdTaps };

/** The taps of each table as they were prepared last: the rows of a picture come in many parts. */
const prepared = new WeakMap<Taps, Prepared>();

function preparedFor(taps: Taps<Int32Array>, part: Part, tapsAtOnce: number): SimdTaps {
  const { origin, channels } = part;
  const last = prepared.get(taps);
  if (last?.origin === origin && last.channels === channels) return last.taps;
  const made = simdTapsOf(taps, part, tapsAtOnce);
  prepared.set(taps, { origin, channels, taps: made });
  return made;
}

/**
 * The number of target rows from `y` on that fit with their source rows; at least one. Runs start in ascending order.
 */
function stripFrom(y: number, { starts, counts }: Taps, capacity: number): { sourceRows: number; targetRows: number } {
  const sourceRowsTo = (last: number) => (starts[last] as number) + (counts[last] as number) - (starts[y] as number);
  let targetRows = 1;
  while (y + targetRows < starts.length && sourceRowsTo(y + targetRows) + targetRows < capacity) targetRows++;
  return { sourceRows: sourceRowsTo(y + targetRows - 1), targetRows };
}

/** Copies the part's samples of the source rows from picture row `first` on, until `into` is full. */
function copyRows(source: Uint8Array, { stride, from, to, origin }: Part, first: number, into: Uint8Array): void {
  let at = (first - origin) * stride;
  for (let filled = 0; filled < into.length; filled += to - from) {
    into.set(source.subarray(at + from, at + to), filled);
    at += stride;
  }
}
