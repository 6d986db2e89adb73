/** The form of a resampling table: for each output pixel of an axis, which run of input pixels counts and how much. */

type Weights = Int32Array | Float32Array | Float64Array;

/** Output pixel i is the sum of `counts[i]` input pixels from `starts[i]` on, times `weights` from `i * width` on. */
export type Taps<W extends Weights = Weights> = {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  readonly weights: W;
  readonly width: number;
  /** Memory held, for the cache. */
  readonly bytes: number;
};

/** One output pixel: a run of input pixels. */
export type Run = { readonly start: number; readonly weights: readonly number[] };

/** Packs runs into typed arrays; `like` is an empty array of the wanted type, whose conversion of numbers applies. */
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

/** The input pixels that a table reads: from the first, up to and without the last. */
export function extentOf({ starts, counts }: Taps): { from: number; to: number } {
  let from = Number.POSITIVE_INFINITY;
  let to = 0;
  starts.forEach((start, i) => {
    from = Math.min(from, start);
    to = Math.max(to, start + (counts[i] as number));
  });
  return { from: Math.min(from, to), to };
}
