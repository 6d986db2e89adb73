/** Fixed-point taps in the layout that assembly/index.ts reads. */
import type { Part } from './passes.ts';
import type { Taps } from './taps.ts';

/**
 * One run of `runBytes` bytes for each output pixel: an int32, the byte offset of the run in a source row; then `pairs`
 * pairs of weights. A pair is four int16, its weights split into halves: low, low, high, high. Unused weights are 0.
 */
export type SimdTaps = { readonly words: Int32Array; readonly runBytes: number; readonly pairs: number };

/** Bytes of a run before its weights. */
export const START_BYTES = 4;

/** Pairs of a run of `count` taps for a kernel that reads `tapsAtOnce` taps in a step; at least one step. */
export function pairsOf(count: number, tapsAtOnce: number): number {
  return (Math.max(1, Math.ceil(count / tapsAtOnce)) * tapsAtOnce) / 2;
}

/** Converts a table. `tapsAtOnce`: the taps that the kernel reads in a step, an even number. */
export function simdTapsOf(
  { starts, counts, weights, width }: Taps<Int32Array>,
  { origin, channels }: Part,
  tapsAtOnce: number,
): SimdTaps {
  const pairs = pairsOf(width, tapsAtOnce);
  const length = 1 + 2 * pairs;
  const words = new Int32Array(starts.length * length);
  const halves = new Int16Array(words.buffer);
  for (let i = 0; i < starts.length; i++) {
    words[i * length] = ((starts[i] as number) - origin) * channels;
    for (let j = 0; j < (counts[i] as number); j++) {
      const weight = weights[i * width + j] as number;
      const at = 2 * (i * length + 1) + 4 * (j >> 1) + (j & 1);
      halves[at] = weight; // modulo 2^16: from -2^15 to 2^15 - 1
      halves[at + 2] = (weight + 2 ** 15) >> 16;
    }
  }
  return { words, runBytes: 4 * length, pairs };
}
