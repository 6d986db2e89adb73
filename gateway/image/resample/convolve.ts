/**
 * The passes of Pillow's 8-bit resize in WebAssembly SIMD (convolve.wat): what passes8 computes, several times as fast.
 * Pictures go through a memory of fixed size in strips of rows: none makes it grow, for it could never shrink again.
 */
import { readFileSync } from 'node:fs';
import { packRuns, pairsOf, START_BYTES } from './packed-runs.ts';
import { type Part, type Passes, passes8 } from './passes.ts';
import type { Taps } from './taps.ts';

/** Addresses and lengths are in bytes; convolve.wat says what they mean. */
type RowKernel = (row: number, runs: number, pairs: number, to: number, end: number) => void;

type Kernels = {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly sumRows: (rows: number, stride: number, weights: number, pairs: number, to: number, end: number) => void;
  readonly sumRgb: RowKernel;
  readonly sumGray: RowKernel;
};

/** As much of it as is used: its types come with those of browsers only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

const program = new WebAssembly.Module(readFileSync(new URL('convolve.wasm', import.meta.url)));
// One for all resamplers of a thread: nothing in the memory outlives a pass.
const { memory, sumRows, sumRgb, sumGray } = new WebAssembly.Instance(program).exports as Kernels;
const bytes = new Uint8Array(memory.buffer);

/** How far the kernels may read or write past a row's end. */
const SLACK = 8;

/**
 * Packed runs lie first in the memory, then source rows, then target rows. Where not even one row and its result fit, or
 * the run of rows that one target row is the sum of, passes8 does the work: a picture of some 40 megapixels, very tall.
 */
export const simdPasses8: Passes<Uint8Array, Int32Array> = {
  horizontal(source, part, taps) {
    const { stride, channels, from, to } = part;
    const [sumRow, tapsAtOnce] = channels === 3 ? [sumRgb, 2] : [sumGray, 4];
    const { words, pairs } = packRuns(taps, part, tapsAtOnce);
    const row = taps.starts.length * channels;
    const overrun = 2 * pairs * channels + SLACK; // a run is read to its last pair, be it all zeros
    const capacity = Math.floor((bytes.length - words.byteLength - overrun) / (stride + row));
    if (capacity < 1) return passes8.horizontal(source, part, taps);
    new Int32Array(memory.buffer).set(words);
    const target = new Uint8Array((to - from) * row);
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
    const { words, runBytes, pairs } = packRuns(taps, part, 2);
    const row = part.to - part.from;
    const capacity = Math.floor((bytes.length - words.byteLength - SLACK) / row);
    if (capacity < 2 * pairs + 1) return passes8.vertical(source, part, taps);
    new Int32Array(memory.buffer).set(words);
    const target = new Uint8Array(starts.length * row);
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

/** How many target rows, from one on, fit the memory with the source rows that they are sums of; one at least. Runs only move on. */
function stripFrom(y: number, { starts, counts }: Taps, capacity: number): { sourceRows: number; targetRows: number } {
  const sourceRowsTo = (last: number) => (starts[last] as number) + (counts[last] as number) - (starts[y] as number);
  let targetRows = 1;
  while (y + targetRows < starts.length && sourceRowsTo(y + targetRows) + targetRows < capacity) targetRows++;
  return { sourceRows: sourceRowsTo(y + targetRows - 1), targetRows };
}

/** Fills `into` with the part's samples of source rows, from picture row `first` on. */
function copyRows(source: Uint8Array, { stride, from, to, origin }: Part, first: number, into: Uint8Array): void {
  let at = (first - origin) * stride;
  for (let filled = 0; filled < into.length; filled += to - from) {
    into.set(source.subarray(at + from, at + to), filled);
    at += stride;
  }
}
