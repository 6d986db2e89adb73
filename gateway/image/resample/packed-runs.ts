/** A table of fixed-point weights in the form that convolve.wat reads. */
import type { Part } from './passes.ts';
import type { Taps } from './taps.ts';

/**
 * For each output pixel `runBytes`: an int32, where its run begins in a source row, in bytes; then `pairs` pairs of weights,
 * each weight split into two int16: low, low, high, high. Behind a run's last weight there are zeros.
 */
export type PackedRuns = { readonly words: Int32Array; readonly runBytes: number; readonly pairs: number };

/** The weights of a run lie behind where it begins. */
export const START_BYTES = 4;

/** Pairs that hold a run of `count`, taken `tapsAtOnce` at a time; one step at least. */
export function pairsOf(count: number, tapsAtOnce: number): number {
  return (Math.max(1, Math.ceil(count / tapsAtOnce)) * tapsAtOnce) / 2;
}

/** Packs a table for kernels that take so many taps in a step: an even number. */
export function packRuns(
  { starts, counts, weights, width }: Taps<Int32Array>,
  { origin, channels }: Part,
  tapsAtOnce: number,
): PackedRuns {
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
