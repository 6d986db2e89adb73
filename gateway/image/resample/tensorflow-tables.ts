/** The tables of tf.image.resize. Each step is computed in float32, as in TensorFlow's CPU kernels. */
import { type Axis, roundHalfToEven } from './geometry.ts';
import { sinf } from './sinf.ts';
import { packTaps, type Run, type Taps } from './taps.ts';

const f32 = Math.fround;

/** Source index of each output pixel (resize_nearest_neighbor_op.cc, half_pixel_centers). */
export function nearestIndices(axis: Axis): Int32Array {
  const scale = f32(axis.boxSize / axis.resized);
  return Int32Array.from(positions(axis), (i) => {
    return axis.boxStart + Math.min(Math.floor(f32(f32(i + 0.5) * scale)), axis.boxSize - 1);
  });
}

/** Two neighbours and the position between them, from 0 to 1 (resize_bilinear_op.cc, half_pixel_centers). */
export type Lerps = {
  readonly lowers: Int32Array;
  readonly uppers: Int32Array;
  readonly fractions: Float32Array;
  readonly bytes: number;
};

export function bilinearLerps(axis: Axis): Lerps {
  const scale = f32(axis.boxSize / axis.resized);
  const places = positions(axis).map((i) => f32(f32(f32(i + 0.5) * scale) - 0.5));
  return {
    lowers: Int32Array.from(places, (x) => axis.boxStart + Math.max(Math.floor(x), 0)),
    uppers: Int32Array.from(places, (x) => axis.boxStart + Math.min(Math.ceil(x), axis.boxSize - 1)),
    fractions: Float32Array.from(places, (x) => x - Math.floor(x)),
    bytes: 12 * places.length,
  };
}

/** Entries of the table of the cubic curve. */
const CUBIC_STEPS = 1024;

/** Four neighbours, weighted by a cubic of a = -0.5 from a table (resize_bicubic_op.cc). */
export function bicubicTable(axis: Axis): Taps<Float32Array> {
  const scale = f32(axis.boxSize / axis.resized);
  const runs = positions(axis).map((i): Run => {
    const place = f32(f32(f32(i + 0.5) * scale) - 0.5);
    const below = Math.floor(place);
    const step = roundHalfToEven(f32(f32(place - below) * CUBIC_STEPS));
    const weights = [cubicFar(step), cubicNear(step), cubicNear(CUBIC_STEPS - step), cubicFar(CUBIC_STEPS - step)];
    const first = Math.max(0, below - 1);
    const inside = weights.slice(first - (below - 1), axis.boxSize - (below - 1));
    return { start: axis.boxStart + first, weights: normalised(inside) };
  });
  return packTaps(runs, new Float32Array());
}

/** An entry of the table: double arithmetic on a float position, stored as float. */
function cubicNear(step: number): number {
  const x = f32(step / CUBIC_STEPS);
  return f32((1.5 * x - 2.5) * x * x + 1);
}

function cubicFar(step: number): number {
  const x = f32(f32(step / CUBIC_STEPS) + 1);
  return f32(((-0.5 * x + 2.5) * x - 4) * x + 2);
}

/** The share of each input pixel that an output pixel covers (resize_area_op.cc), before the division by the area. */
export function areaTable({ boxStart, boxSize, resized, ...axis }: Axis): Taps<Float32Array> {
  const scale = f32(boxSize / resized);
  const runs = positions(axis).map((i): Run => {
    const from = f32(i * scale);
    const to = f32((i + 1) * scale);
    const weights: number[] = [];
    for (let x = Math.floor(from); x < Math.ceil(to); x++) weights.push(covered(x, from, to, scale));
    return { start: boxStart + Math.floor(from), weights };
  });
  return packTaps(runs, new Float32Array());
}

function covered(x: number, from: number, to: number, scale: number): number {
  if (x < from) return x + 1 > to ? scale : f32(x + 1 - from);
  return x + 1 > to ? f32(to - x) : 1;
}

/** A kernel of scale_and_translate_op.cc: its weight at a distance of 0 or more, and its reach. */
export type Kernel = { readonly radius: number; readonly weigh: (distance: number) => number };

export const KERNELS: Readonly<Record<'bilinear' | 'bicubic' | 'lanczos3', Kernel>> = {
  bilinear: { radius: 1, weigh: (x) => (x < 1 ? f32(1 - x) : 0) },
  bicubic: { radius: 2, weigh: keysCubic },
  lanczos3: { radius: 3, weigh: lanczos3 },
};

function keysCubic(x: number): number {
  if (x >= 2) return 0;
  if (x >= 1) return f32(f32(f32(f32(f32(f32(-0.5 * x) + 2.5) * x) - 4) * x) + 2);
  return f32(f32(f32(f32(f32(1.5 * x) - 2.5) * x) * x) + 1);
}

const PI = f32(Math.PI);

function lanczos3(x: number): number {
  if (x > 3) return 0;
  if (x <= f32(1e-3)) return 1;
  const angle = f32(PI * x);
  const sines = f32(f32(3 * sinf(angle)) * sinf(f32(angle / 3)));
  return f32(sines / f32(f32(f32(PI * PI) * x) * x));
}

/** Runs of weights under a kernel, widened for a shrinking picture with `antialias` (scale_and_translate_op.cc). */
export function kernelTable(axis: Axis, { radius, weigh }: Kernel, antialias: boolean): Taps<Float32Array> {
  const inverse = f32(1 / f32(axis.resized / axis.boxSize));
  const kernelScale = antialias ? Math.max(inverse, 1) : 1;
  const reach = f32(radius * kernelScale);
  const shrink = f32(1 / kernelScale);
  const runs = positions(axis).map((i): Run => {
    const center = f32(f32(i + 0.5) * inverse);
    if (center > axis.boxSize) return { start: axis.boxStart, weights: [] };
    const last = axis.boxSize - 1;
    const start = Math.min(last, Math.max(0, Math.ceil(f32(f32(center - reach) - 0.5))));
    const end = Math.min(last, Math.max(0, Math.floor(f32(f32(center + reach) - 0.5)))) + 1;
    const weights: number[] = [];
    for (let x = start; x < end; x++) weights.push(weigh(Math.abs(f32(f32(f32(x + 0.5) - center) * shrink))));
    return { start: axis.boxStart + start, weights: normalised(weights) };
  });
  return packTaps(runs, new Float32Array());
}

/** Multiplies weights by the reciprocal of their sum, unless the sum is below 1,000 times the least normal float. */
function normalised(weights: readonly number[]): readonly number[] {
  const sum = weights.reduce((total, weight) => f32(total + weight), 0);
  if (Math.abs(sum) < f32(1000 * 2 ** -126)) return weights;
  const factor = f32(1 / sum);
  return weights.map((weight) => f32(weight * factor));
}

/** The output positions in the window. */
function positions({ windowStart, windowSize }: Pick<Axis, 'windowStart' | 'windowSize'>): number[] {
  return Array.from({ length: windowSize }, (_, i) => windowStart + i);
}
