/** tf.image.resize on the CPU, bit for bit: float32 after every operation, in TensorFlow's order of operations. */
import type { Pixels, TensorFlowMethod } from '../../domain/picture.ts';
import { createTableCache } from './cache.ts';
import type { Axis, Geometry } from './geometry.ts';
import { checkSamples } from './size-limits.ts';
import { extentOf, type Taps } from './taps.ts';
import { areaTable, bicubicTable, bilinearLerps, KERNELS, kernelTable, type Lerps } from './tensorflow-tables.ts';

type Resize = (picture: Pixels, geometry: Geometry) => Float32Array;

const f32 = Math.fround;

/** Makes a resize with a method other than nearest. It returns the window row by row, not rounded to bytes. */
export function createTensorFlowResize(
  method: Exclude<TensorFlowMethod, 'nearest'>,
  antialias: boolean,
  maxTableBytes: number,
): Resize {
  if (method === 'bilinear' && !antialias) {
    const cache = createTableCache<Lerps>(maxTableBytes);
    const lerps = (axis: Axis) => cache(JSON.stringify(axis), () => bilinearLerps(axis));
    return (picture, { x, y }) => lerp(picture, lerps(x), lerps(y));
  }
  const cache = createTableCache<Taps<Float32Array>>(maxTableBytes);
  const taps = (axis: Axis) => cache(JSON.stringify(axis), () => tableOf(axis, method, antialias));
  if (method === 'area') return (picture, geometry) => area(picture, geometry, taps(geometry.x), taps(geometry.y));
  return (picture, { x, y }) => rowsThenColumns(picture, taps(x), taps(y));
}

function tableOf(axis: Axis, method: Exclude<TensorFlowMethod, 'nearest'>, antialias: boolean): Taps<Float32Array> {
  if (method === 'area') return areaTable(axis);
  return method === 'bicubic' && !antialias ? bicubicTable(axis) : kernelTable(axis, KERNELS[method], antialias);
}

/** Computes a + (b - a) t along x in two rows, then between the rows (resize_bilinear_op.cc). */
function lerp({ data, width, channels }: Pixels, x: Lerps, y: Lerps): Float32Array {
  const target = new Float32Array(y.lowers.length * x.lowers.length * channels);
  let to = 0;
  for (let j = 0; j < y.lowers.length; j++) {
    const top = (y.lowers[j] as number) * width;
    const bottom = (y.uppers[j] as number) * width;
    const down = y.fractions[j] as number;
    for (let i = 0; i < x.lowers.length; i++) {
      const left = x.lowers[i] as number;
      const right = x.uppers[i] as number;
      const across = x.fractions[i] as number;
      for (let c = 0; c < channels; c++) {
        const a = data[(top + left) * channels + c] as number;
        const b = data[(top + right) * channels + c] as number;
        const e = data[(bottom + left) * channels + c] as number;
        const g = data[(bottom + right) * channels + c] as number;
        const above = f32(a + f32(f32(b - a) * across));
        const below = f32(e + f32(f32(g - e) * across));
        target[to++] = above + f32(f32(below - above) * down);
      }
    }
  }
  return target;
}

/**
 * Sums weighted rows into one row, then that row's weighted pixels (resize_bicubic_op.cc, scale_and_translate_op.cc).
 */
function rowsThenColumns(picture: Pixels, x: Taps, y: Taps): Float32Array {
  const { data, width, channels } = picture;
  const columns = extentOf(x);
  const row = new Float32Array((columns.to - columns.from) * channels);
  const targetRow = x.starts.length * channels;
  const target = new Float32Array(y.starts.length * targetRow);
  checkSamples(y.starts.length * row.length, picture);
  for (let j = 0; j < y.starts.length; j++) {
    row.fill(0);
    for (let k = 0; k < (y.counts[j] as number); k++) {
      const from = (((y.starts[j] as number) + k) * width + columns.from) * channels;
      addWeighted(row, data.subarray(from, from + row.length), y.weights[j * y.width + k] as number);
    }
    const into = target.subarray(j * targetRow, (j + 1) * targetRow);
    sumPixels(into, row, x, { channels, origin: columns.from, last: columns.to - 1 });
  }
  return target;
}

/** Sums weighted pixels within each row first, then the weighted rows, then divides by the area (resize_area_op.cc). */
function area(picture: Pixels, geometry: Geometry, x: Taps, y: Taps): Float32Array {
  const { data, width, channels } = picture;
  const scales = [geometry.x, geometry.y].map((axis) => f32(axis.boxSize / axis.resized)) as [number, number];
  const share = f32(1 / f32(scales[0] * scales[1]));
  const lastColumn = geometry.x.boxStart + geometry.x.boxSize - 1;
  const lastRow = geometry.y.boxStart + geometry.y.boxSize - 1;
  const row = new Float32Array(x.starts.length * channels);
  const target = new Float32Array(y.starts.length * row.length);
  const rows = extentOf(y);
  checkSamples((rows.to - rows.from) * row.length, picture);
  for (let j = 0; j < y.starts.length; j++) {
    const into = target.subarray(j * row.length, (j + 1) * row.length);
    for (let k = 0; k < (y.counts[j] as number); k++) {
      const from = Math.min((y.starts[j] as number) + k, lastRow) * width * channels;
      sumPixels(row, data.subarray(from, from + width * channels), x, { channels, origin: 0, last: lastColumn });
      addWeighted(into, row, y.weights[j * y.width + k] as number);
    }
    for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) * share;
  }
  return target;
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
