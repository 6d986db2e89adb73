/**
 * Pillow's resize by convolution (Resample.c): two one-dimensional passes, with the source's bit depth between them.
 */
import type { ImageSpec } from '../../domain/picture.ts';
import { createTableCache } from './cache.ts';
import { simdPasses8 } from './convolve.ts';
import { type Axis, type Geometry, isUntouched } from './geometry.ts';
import { type Part, type Passes, passes16 } from './passes.ts';
import { type FILTERS, fixedPointTable, weightTable } from './pillow-tables.ts';
import { type Emit, type Resizing, range, type Source } from './rows.ts';
import { checkSamples } from './size-limits.ts';
import { extentOf, someRuns, type Taps } from './taps.ts';
import { createWindow } from './window.ts';

type Filter = (typeof FILTERS)[keyof typeof FILTERS];
type Samples = Uint8Array | Uint16Array;

/** From this Pillow version on, a picture that shrinks far more in height than in width has its vertical pass first. */
const VERTICAL_FIRST_SINCE = 13;

/**
 * Makes a resize with one filter, row by row. At least one axis must be resized.
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
  return (source: Source, geometry: Geometry, emit: Emit): Resizing => {
    const verticalFirst = pillow >= VERTICAL_FIRST_SINCE && shrinksInHeight(geometry);
    const plan: Plan = { ...source, ...geometry, verticalFirst };
    return source.isDeep
      ? begin(plan, weights, passes16, (samples) => new Uint16Array(samples), emit)
      : begin(plan, fixedPoint, passes8, (samples) => new Uint8Array(samples), emit);
  };
}

function shrinksInHeight({ x, y }: Geometry): boolean {
  const byHeight = y.input - y.resized;
  return byHeight > 0 && byHeight > 2 * (x.input - x.resized);
}

type Plan = Geometry & Source & { readonly verticalFirst: boolean };

/** Each pass computes only the samples that the next pass or the window reads. */
function begin<S extends Samples, W extends Int32Array | Float64Array>(
  { x, y, verticalFirst, ...source }: Plan,
  table: (axis: Axis) => Taps<W>,
  { horizontal, vertical }: Passes<S, W>,
  allocate: (samples: number) => S,
  emit: (rows: S) => void,
): Resizing {
  const { channels } = source;
  const [across, down] = [x, y].map((axis) => (isUntouched(axis) ? undefined : table(axis)));
  const columns = across ? extentOf(across) : windowOf(x);
  const rows = down ? extentOf(down) : windowOf(y);
  const [wide, narrow] = [(columns.to - columns.from) * channels, x.windowSize * channels];
  const acrossRows = (data: S, stride: number, count: number): S =>
    across ? horizontal(data, { stride, channels, from: 0, to: count, origin: columns.from }, across) : data;

  const isDownFirst = down !== undefined && (verticalFirst || !across);
  checkSamples(isDownFirst ? y.windowSize * wide : (rows.to - rows.from) * narrow, source);
  const length = isDownFirst ? wide : narrow;
  const goDown =
    down &&
    createWindow<S>({
      runs: down,
      length,
      ...rows,
      allocate,
      compute(kept, origin, first, end) {
        const part: Part = { stride: length, channels, from: 0, to: length, origin };
        const between = vertical(kept, part, someRuns(down, first, end));
        emit(isDownFirst ? acrossRows(between, wide, end - first) : between);
      },
    });
  return {
    columns: range(columns),
    rows: range(rows),
    take(data, stride, count) {
      if (isDownFirst) return goDown?.(data as S, stride, count);
      const between = acrossRows(data as S, stride, count);
      return goDown ? goDown(between, narrow, count) : emit(between);
    },
  };
}

function windowOf({ windowStart, windowSize }: Axis): { from: number; to: number } {
  return { from: windowStart, to: windowStart + windowSize };
}
