/** Resizes a picture as the model's training did and crops the target window. */
import type { ImageSpec, PillowFilter, Pixels, Resized, TensorFlowMethod } from '../domain/picture.ts';
import { createTableCache } from './resample/cache.ts';
import { type Axis, type Geometry, geometryOf, isUntouched } from './resample/geometry.ts';
import { padded } from './resample/padding.ts';
import { createPillowResize } from './resample/pillow.ts';
import * as pillow from './resample/pillow-tables.ts';
import { checkSides } from './resample/size-limits.ts';
import { createTensorFlowResize } from './resample/tensorflow.ts';
import * as tensorflow from './resample/tensorflow-tables.ts';

/** Resizes one picture. @throws GatewayError image_too_large when its shape needs too much memory to resize. */
export type Resampler = (picture: Pixels) => Resized;

/** Limit on the tables of one model. The tables of a side of 4,000 pixels take some tens of kilobytes. */
const MAX_TABLE_BYTES = 4 * 2 ** 20;

/** Makes a resampler with its own tables. @throws RangeError when the spec contradicts itself. */
export function createResampler(spec: ImageSpec): Resampler {
  checkSpec(spec);
  const resample = spec.resize === 'nearest' ? createNearest(spec) : createInterpolation(spec, resizeOf(spec));
  return (picture) => {
    checkSides(picture);
    const resized = resample(picture);
    return typeof spec.fit === 'object' && 'pad' in spec.fit ? padded(picture, resized, spec, spec.fit) : resized;
  };
}

function checkSpec({ fit, size, engine, resize }: ImageSpec): void {
  if (typeof fit === 'object' && 'shorter' in fit && fit.shorter < Math.max(...size)) {
    throw new RangeError(`fit shorter: ${fit.shorter} is less than the size ${size.join(' x ')} that is cut out of it`);
  }
  const methods = Object.keys(engine === 'pillow' ? pillow.FILTERS : { ...tensorflow.KERNELS, area: 0 });
  if (resize !== 'nearest' && !methods.includes(resize)) {
    throw new RangeError(`resize ${resize} is not one that engine ${engine} has: nearest, ${methods.join(', ')}`);
  }
}

function createNearest(spec: ImageSpec): Resampler {
  const cache = createTableCache<{ readonly indices: Int32Array; readonly bytes: number }>(MAX_TABLE_BYTES);
  const cached = (axis: Axis, rule: (axis: Axis) => Int32Array) =>
    cache(`${rule.name} ${JSON.stringify(axis)}`, () => {
      const indices = rule(axis);
      return { indices, bytes: indices.byteLength };
    }).indices;
  return (picture) => {
    const { x, y } = geometryOf(picture, spec);
    const rule = nearestRule(spec.engine, picture);
    return pick(picture, cached(y, rule), cached(x, rule));
  };
}

function nearestRule(engine: ImageSpec['engine'], { data }: Pixels): (axis: Axis) => Int32Array {
  if (engine === 'tensorflow') return tensorflow.nearestIndices;
  return data instanceof Uint16Array ? pillow.nearestIndices16 : pillow.nearestIndices;
}

type Resize = (picture: Pixels, geometry: Geometry) => Resized['data'];

function resizeOf({ engine, resize, antialias, pillow: major }: ImageSpec): Resize {
  if (engine === 'tensorflow') {
    return createTensorFlowResize(resize as Exclude<TensorFlowMethod, 'nearest'>, antialias, MAX_TABLE_BYTES);
  }
  return createPillowResize(pillow.FILTERS[resize as Exclude<PillowFilter, 'nearest'>], major, MAX_TABLE_BYTES);
}

/** Pillow does not resample a picture that has the target size already; tf.image.resize does. */
function createInterpolation(spec: ImageSpec, resize: Resize): Resampler {
  return (picture) => {
    const geometry = geometryOf(picture, spec);
    const { x, y } = geometry;
    const [height, width] = [y.windowSize, x.windowSize];
    if (spec.engine === 'pillow' && isUntouched(x) && isUntouched(y)) {
      return pick(picture, range(y.windowStart, height), range(x.windowStart, width));
    }
    return { width, height, channels: picture.channels, data: resize(picture, geometry) };
  };
}

function range(start: number, length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => start + i);
}

/** Copies the samples of the given rows and columns. */
function pick(picture: Pixels, rows: Int32Array, columns: Int32Array): Resized {
  const { channels, data } = picture;
  const samples = rows.length * columns.length * channels;
  const picked = data instanceof Uint8Array ? new Uint8Array(samples) : new Uint16Array(samples);
  if (channels === 3) pickRgb(picture, rows, columns, picked);
  else pickGray(picture, rows, columns, picked);
  return { width: columns.length, height: rows.length, channels, data: picked };
}

function pickRgb({ width, data }: Pixels, rows: Int32Array, columns: Int32Array, picked: Pixels['data']): void {
  const starts = columns.map((x) => 3 * x);
  let to = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = 3 * width * (rows[i] as number);
    for (let x = 0; x < starts.length; x++) {
      const from = row + (starts[x] as number);
      picked[to] = data[from] as number;
      picked[to + 1] = data[from + 1] as number;
      picked[to + 2] = data[from + 2] as number;
      to += 3;
    }
  }
}

function pickGray({ width, data }: Pixels, rows: Int32Array, columns: Int32Array, picked: Pixels['data']): void {
  let to = 0;
  for (const y of rows) {
    for (const x of columns) picked[to++] = data[y * width + x] as number;
  }
}
