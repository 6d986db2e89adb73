/**
 * Pillow's resize by convolution (Resample.c): two one-dimensional passes, with the source's bit depth between them.
 */
import type { ImageSpec, Pixels } from '../../domain/picture.ts';
import { free } from '../free.ts';
import { createTableCache } from './cache.ts';
import { simdPasses8 } from './convolve.ts';
import { type Axis, type Geometry, isUntouched } from './geometry.ts';
import { type Part, type Passes, passes16 } from './passes.ts';
import { type FILTERS, fixedPointTable, weightTable } from './pillow-tables.ts';
import { checkSamples } from './size-limits.ts';
import { extentOf, type Taps } from './taps.ts';

type Filter = (typeof FILTERS)[keyof typeof FILTERS];
type Samples = Uint8Array | Uint16Array;

/** From this Pillow version on, a picture that shrinks far more in height than in width has its vertical pass first. */
const VERTICAL_FIRST_SINCE = 13;

/**
 * Makes a resize with one filter. It returns the window's samples, row by row. At least one axis must be resized.
 * @param pillow Pillow's major version, which decides the order of the passes. Each pass rounds, so the order matters.
 * @param passes8 The passes for 8-bit samples. Tests give passes8 of passes.ts, the plain code, to compare.
 */
export function createPillowResize(
  filter: Filter,
  pillow: ImageSpec['pillow'],
  maxTableBytes: number,
  passes8: Passes<Uint8Array, Int32Array> = simdPasses8,
) {
  const weightTables = createTableCache<Taps<Float64Array>>(maxTableBytes);
  const fixedPointTables = createTableCache<Taps<Int32Array>>(maxTableBytes);
  const fixedPoint = (axis: Axis) => fixedPointTables(JSON.stringify(axis), () => fixedPointTable(axis, filter));
  const weights = (axis: Axis) => weightTables(JSON.stringify(axis), () => weightTable(axis, filter));
  return (picture: Pixels, geometry: Geometry): Samples => {
    const { data } = picture;
    const plan = {
      ...picture,
      ...geometry,
      verticalFirst: pillow >= VERTICAL_FIRST_SINCE && shrinksInHeight(geometry),
    };
    return data instanceof Uint8Array ? run(data, plan, fixedPoint, passes8) : run(data, plan, weights, passes16);
  };
}

function shrinksInHeight({ x, y }: Geometry): boolean {
  const byHeight = y.input - y.resized;
  return byHeight > 0 && byHeight > 2 * (x.input - x.resized);
}

type Plan = Geometry & Pick<Pixels, 'width' | 'height' | 'channels'> & { readonly verticalFirst: boolean };

/** Each pass computes only the samples that the next pass or the window reads. */
function run<S extends Samples, W extends Int32Array | Float64Array>(
  data: S,
  { x, y, verticalFirst, ...picture }: Plan,
  table: (axis: Axis) => Taps<W>,
  { horizontal, vertical }: Passes<S, W>,
): S {
  const { channels } = picture;
  const [across, down] = [x, y].map((axis) => (isUntouched(axis) ? undefined : table(axis)));
  const columns = across ? extentOf(across) : windowOf(x);
  const rows = down ? extentOf(down) : windowOf(y);
  const whole = { stride: picture.width * channels, channels, origin: 0 };
  if (down && (verticalFirst || !across)) {
    const stride = (columns.to - columns.from) * channels;
    checkSamples(y.windowSize * stride, picture);
    const between = vertical(data, { ...whole, from: columns.from * channels, to: columns.to * channels }, down);
    const part: Part = { stride, channels, from: 0, to: y.windowSize, origin: columns.from };
    return across ? freeing(between, horizontal(between, part, across)) : between;
  }
  if (!across) return data;
  const stride = x.windowSize * channels;
  checkSamples((rows.to - rows.from) * stride, picture);
  const between = horizontal(data, { ...whole, ...rows }, across);
  const part: Part = { stride, channels, from: 0, to: stride, origin: rows.from };
  return down ? freeing(between, vertical(between, part, down)) : between;
}

/** Returns the result of the second pass and frees the picture between the passes. */
function freeing<S extends Samples>(between: S, target: S): S {
  free(between);
  return target;
}

function windowOf({ windowStart, windowSize }: Axis): { from: number; to: number } {
  return { from: windowStart, to: windowStart + windowSize };
}
