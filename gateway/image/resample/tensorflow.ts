/** tf.image.resize on the CPU, bit for bit: float32 after every operation, in TensorFlow's order of operations. */
import type { TensorFlowMethod } from '../../domain/picture.ts';
import { createTableCache } from './cache.ts';
import type { Axis, Geometry } from './geometry.ts';
import { type Emit, type Resizing, range, type Source } from './rows.ts';
import { checkSamples } from './size-limits.ts';
import { extentOf, type Taps } from './taps.ts';
import { areaTable, bicubicTable, bilinearLerps, KERNELS, kernelTable, type Lerps } from './tensorflow-tables.ts';
import { createWindow, type Runs } from './window.ts';

type Resize = (source: Source, geometry: Geometry, emit: Emit) => Resizing;

const f32 = Math.fround;

/** Makes a resize with a method other than nearest. Its rows are not rounded to bytes. */
export function createTensorFlowResize(
  method: Exclude<TensorFlowMethod, 'nearest'>,
  antialias: boolean,
  maxTableBytes: number,
): Resize {
  if (method === 'bilinear' && !antialias) {
    const cache = createTableCache<Lerps>(maxTableBytes);
    const lerps = (axis: Axis) => cache(JSON.stringify(axis), () => bilinearLerps(axis));
    return (source, { x, y }, emit) => lerp(source, lerps(x), lerps(y), emit);
  }
  const cache = createTableCache<Taps<Float32Array>>(maxTableBytes);
  const taps = (axis: Axis) => cache(JSON.stringify(axis), () => tableOf(axis, method, antialias));
  if (method === 'area') {
    return (source, geometry, emit) => area(source, geometry, { x: taps(geometry.x), y: taps(geometry.y) }, emit);
  }
  return (source, { x, y }, emit) => rowsThenColumns(source, taps(x), taps(y), emit);
}

function tableOf(axis: Axis, method: Exclude<TensorFlowMethod, 'nearest'>, antialias: boolean): Taps<Float32Array> {
  if (method === 'area') return areaTable(axis);
  return method === 'bicubic' && !antialias ? bicubicTable(axis) : kernelTable(axis, KERNELS[method], antialias);
}

/** One row of the result, from the kept rows: `start` is where the row of the picture with that number begins. */
type RowOf = (target: Float32Array, kept: Uint8Array, start: (row: number) => number, index: number) => void;

type Parts = {
  readonly columns: { readonly from: number; readonly to: number };
  readonly rows: { readonly from: number; readonly to: number };
  readonly runs: Runs;
  readonly channels: number;
  /** Samples of a row of the result. */
  readonly targetRow: number;
};

function byRows({ columns, rows, runs, channels, targetRow }: Parts, rowOf: RowOf, emit: Emit): Resizing {
  const length = (columns.to - columns.from) * channels;
  const take = createWindow<Uint8Array>({
    runs,
    length,
    ...rows,
    allocate: (samples) => new Uint8Array(samples),
    compute(kept, origin, begin, end) {
      const target = new Float32Array((end - begin) * targetRow);
      const start = (row: number) => (row - origin) * length;
      for (let j = begin; j < end; j++) {
        rowOf(target.subarray((j - begin) * targetRow, (j - begin + 1) * targetRow), kept, start, j);
      }
      emit(target);
    },
  });
  return {
    columns: range(columns),
    rows: range(rows),
    take: (data, stride, count) => take(data as Uint8Array, stride, count),
  };
}

/** Computes a + (b - a) t along x in two rows, then between the rows (resize_bilinear_op.cc). */
function lerp({ channels }: Source, x: Lerps, y: Lerps, emit: Emit): Resizing {
  const [across, runs] = [runsOf(x), runsOf(y)];
  const columns = extentOf(across);
  const rowOf: RowOf = (target, kept, start, j) => {
    const top = start(y.lowers[j] as number);
    const bottom = start(y.uppers[j] as number);
    const down = y.fractions[j] as number;
    let to = 0;
    for (let i = 0; i < x.lowers.length; i++) {
      const left = ((x.lowers[i] as number) - columns.from) * channels;
      const right = ((x.uppers[i] as number) - columns.from) * channels;
      const share = x.fractions[i] as number;
      for (let c = 0; c < channels; c++) {
        const a = kept[top + left + c] as number;
        const b = kept[top + right + c] as number;
        const e = kept[bottom + left + c] as number;
        const g = kept[bottom + right + c] as number;
        const above = f32(a + f32(f32(b - a) * share));
        const below = f32(e + f32(f32(g - e) * share));
        target[to++] = above + f32(f32(below - above) * down);
      }
    }
  };
  const parts = { columns, rows: extentOf(runs), runs, channels, targetRow: x.lowers.length * channels };
  return byRows(parts, rowOf, emit);
}

function runsOf({ lowers, uppers }: Lerps): Runs {
  return { starts: lowers, counts: uppers.map((upper, i) => upper - (lowers[i] as number) + 1) };
}

/**
 * Sums weighted rows into one row, then that row's weighted pixels (resize_bicubic_op.cc, scale_and_translate_op.cc).
 */
function rowsThenColumns(source: Source, x: Taps, y: Taps, emit: Emit): Resizing {
  const { channels } = source;
  const columns = extentOf(x);
  const row = new Float32Array((columns.to - columns.from) * channels);
  checkSamples(y.starts.length * row.length, source);
  const rowOf: RowOf = (target, kept, start, j) => {
    row.fill(0);
    for (let k = 0; k < (y.counts[j] as number); k++) {
      const from = start((y.starts[j] as number) + k);
      addWeighted(row, kept.subarray(from, from + row.length), y.weights[j * y.width + k] as number);
    }
    sumPixels(target, row, x, { channels, origin: columns.from, last: columns.to - 1 });
  };
  const parts = { columns, rows: extentOf(y), runs: y, channels, targetRow: x.starts.length * channels };
  return byRows(parts, rowOf, emit);
}

/** Sums weighted pixels within each row first, then the weighted rows, then divides by the area (resize_area_op.cc). */
function area(source: Source, geometry: Geometry, { x, y }: { x: Taps; y: Taps }, emit: Emit): Resizing {
  const { channels } = source;
  const scales = [geometry.x, geometry.y].map((axis) => f32(axis.boxSize / axis.resized)) as [number, number];
  const share = f32(1 / f32(scales[0] * scales[1]));
  const [columns, rows] = [within(extentOf(x), geometry.x), within(extentOf(y), geometry.y)];
  const row = new Float32Array(x.starts.length * channels);
  checkSamples((rows.to - rows.from) * row.length, source);
  const rowOf: RowOf = (target, kept, start, j) => {
    for (let k = 0; k < (y.counts[j] as number); k++) {
      const from = start(Math.min((y.starts[j] as number) + k, rows.to - 1));
      const samples = kept.subarray(from, from + (columns.to - columns.from) * channels);
      sumPixels(row, samples, x, { channels, origin: columns.from, last: columns.to - 1 });
      addWeighted(target, row, y.weights[j * y.width + k] as number);
    }
    for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) * share;
  };
  const starts = y.starts.map((start) => Math.min(start, rows.to - 1));
  const counts = y.counts.map((count, j) => Math.min(count, rows.to - (starts[j] as number)));
  return byRows({ columns, rows, runs: { starts, counts }, channels, targetRow: row.length }, rowOf, emit);
}

/** The part of an extent within the box: rounding may go one pixel past its end. */
function within({ from, to }: { from: number; to: number }, { boxStart, boxSize }: Axis): { from: number; to: number } {
  const end = Math.min(to, boxStart + boxSize);
  return { from: Math.min(from, end - 1), to: end };
}

function addWeighted(sums: Float32Array, values: ArrayLike<number>, weight: number): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + f32((values[i] as number) * weight);
}

/**
 * `origin`: the column of the row's first pixel. `last`: the picture's last column; area's rounding may go one past it.
 */
function sumPixels(
  target: Float32Array,
  row: ArrayLike<number>,
  { starts, counts, weights, width }: Taps,
  { channels, origin, last }: { channels: number; origin: number; last: number },
): void {
  for (let i = 0; i < starts.length; i++) {
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let k = 0; k < (counts[i] as number); k++) {
        const column = Math.min((starts[i] as number) + k, last) - origin;
        sum = f32(sum + f32((row[column * channels + c] as number) * (weights[i * width + k] as number)));
      }
      target[i * channels + c] = sum;
    }
  }
}
