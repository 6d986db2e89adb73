/** A resampling table: for each output pixel of an axis, a run of input pixels and their weights. */

type Weights = Int32Array | Float32Array | Float64Array;

/** Output pixel i is the sum of `counts[i]` input pixels from `starts[i]` on, times `weights` from `i * width` on. */
export type Taps<W extends Weights = Weights> = {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  readonly weights: W;
  readonly width: number;
  /** Size in memory, for the cache. */
  readonly bytes: number;
};

/** The run of input pixels of one output pixel. */
export type Run = { readonly start: number; readonly weights: readonly number[] };

/** Packs runs into typed arrays. `like`: an empty array of the weights' type, which converts the numbers. */
export function packTaps<W extends Weights>(runs: readonly Run[], like: W): Taps<W> {
  const width = runs.reduce((most, run) => Math.max(most, run.weights.length), 0);
  const weights = new (like.constructor as new (length: number) => W)(width * runs.length);
  runs.forEach((run, i) => {
    weights.set(run.weights, i * width);
  });
  return {
    starts: Int32Array.from(runs, (run) => run.start),
    counts: Int32Array.from(runs, (run) => run.weights.length),
    weights,
    width,
    bytes: weights.byteLength + 8 * runs.length,
  };
}

/** The part of a table for the output pixels from `begin` on, before `end`. It shares the memory. */
export function someRuns<W extends Weights>(taps: Taps<W>, begin: number, end: number): Taps<W> {
  const { starts, counts, weights, width } = taps;
  return {
    ...taps,
    starts: starts.subarray(begin, end),
    counts: counts.subarray(begin, end),
    weights: weights.subarray(begin * width, end * width) as W,
  };
}

/** The input pixels that a table reads. `to` is exclusive. */
export function extentOf({ starts, counts }: Pick<Taps, 'starts' | 'counts'>): { from: number; to: number } {
  let from = Number.POSITIVE_INFINITY;
  let to = 0;
  starts.forEach((start, i) => {
    from = Math.min(from, start);
    to = Math.max(to, start + (counts[i] as number));
  });
  return { from: Math.min(from, to), to };
}
