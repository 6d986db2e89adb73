/** Pillow's resampling tables: source indices for nearest (Geometry.c), weights for the five filters (Resample.c). */
import type { PillowFilter } from '../../domain/picture.ts';
import type { Axis } from './geometry.ts';
import { packTaps, type Run, type Taps } from './taps.ts';

/** Fractional bits of a fixed-point weight: 32 minus 8 for the pixel and 2 for overshoot and sign. */
export const PRECISION_BITS = 22;

/** A filter's weight at a distance, and its reach. Both in pixels of the input or the output, whichever is coarser. */
type Filter = { readonly support: number; readonly weigh: (distance: number) => number };

const f32 = Math.fround; // hamming's constants are floats in the C source, everything else is double

export const FILTERS: Readonly<Record<Exclude<PillowFilter, 'nearest'>, Filter>> = {
  box: { support: 0.5, weigh: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weigh: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, weigh: (x) => hamming(Math.abs(x)) },
  bicubic: { support: 2, weigh: (x) => bicubic(Math.abs(x), -0.5) },
  lanczos: { support: 3, weigh: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

function hamming(x: number): number {
  return x >= 1 ? 0 : sinc(x) * (f32(0.54) + f32(0.46) * Math.cos(x * Math.PI));
}

function bicubic(x: number, a: number): number {
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/**
 * Source index of each output pixel. The position is accumulated step by step, as in Pillow. A product rounds
 * otherwise: from 534 to 299 pixels it gives another index in one place.
 */
export function nearestIndices({ boxStart, boxSize, resized, windowStart, windowSize }: Axis): Int32Array {
  const step = boxSize / resized;
  const indices = new Int32Array(windowSize);
  let position = boxStart + step * 0.5;
  for (let i = 0; i < windowStart + windowSize; i++) {
    if (i >= windowStart) indices[i - windowStart] = position;
    position += step;
  }
  return indices;
}

/** The same for 16-bit pictures. Pillow resizes them with its general transform, where the position is a product. */
export function nearestIndices16({ boxStart, boxSize, resized, windowStart, windowSize }: Axis): Int32Array {
  const step = boxSize / resized;
  return Int32Array.from({ length: windowSize }, (_, i) => step * (windowStart + i + 0.5) + boxStart);
}

/** Weights in double precision for 16-bit pictures. The weights of each run add up to one. */
export function weightTable(axis: Axis, filter: Filter): Taps<Float64Array> {
  return packTaps(runsOf(axis, filter), new Float64Array());
}

/** Weights in fixed point for 8-bit pictures, rounded half away from zero. */
export function fixedPointTable(axis: Axis, filter: Filter): Taps<Int32Array> {
  const fixed = (weight: number) => Math.trunc(weight * 2 ** PRECISION_BITS + (weight < 0 ? -0.5 : 0.5));
  const runs = runsOf(axis, filter).map(({ start, weights }) => ({ start, weights: weights.map(fixed) }));
  return packTaps(runs, new Int32Array());
}

/** The filter is widened when the picture shrinks. It is cut at the edges of the picture, not of the box. */
function runsOf({ input, boxStart, boxSize, resized, windowStart, windowSize }: Axis, filter: Filter): Run[] {
  const scale = boxSize / resized;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  const inverse = 1 / filterScale;
  return Array.from({ length: windowSize }, (_, i) => {
    const center = boxStart + (windowStart + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(input, Math.trunc(center + support + 0.5));
    const weights: number[] = [];
    for (let x = start; x < end; x++) weights.push(filter.weigh((x - center + 0.5) * inverse));
    return { start, weights: normalised(weights) };
  });
}

function normalised(weights: number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return sum === 0 ? weights : weights.map((weight) => weight / sum);
}
