/** Resizes a picture as the model's training did and crops the target window, row by row. */
import type { ImageSpec, PillowFilter, Pixels, Resized, TensorFlowMethod } from '../domain/picture.ts';
import { createTableCache } from './resample/cache.ts';
import { resizeWhole } from './resample/feed.ts';
import { type Axis, type Geometry, geometryOf, isUntouched } from './resample/geometry.ts';
import { createPadding } from './resample/padding.ts';
import { createPillowResize } from './resample/pillow.ts';
import * as pillow from './resample/pillow-tables.ts';
import { type Emit, passOn, type Resizing, type RowResize, range, type Source } from './resample/rows.ts';
import { checkSides } from './resample/size-limits.ts';
import { createTensorFlowResize } from './resample/tensorflow.ts';
import * as tensorflow from './resample/tensorflow-tables.ts';

/** Limit on the tables of one model. The tables of a side of 4,000 pixels take some tens of kilobytes. */
const MAX_TABLE_BYTES = 4 * 2 ** 20;

/**
 * Makes a resize with its own tables. It throws GatewayError image_too_large for a picture whose shape needs too much memory.
 * @throws RangeError when the spec contradicts itself.
 */
export function createRowResize(spec: ImageSpec): RowResize {
  checkSpec(spec);
  const resize = spec.resize === 'nearest' ? createNearest(spec.engine) : createInterpolation(spec);
  return (source, emit) => {
    checkSides(source);
    const geometry = geometryOf(source, spec);
    const resized = { width: geometry.x.windowSize, height: geometry.y.windowSize };
    const isPadded = typeof spec.fit === 'object' && 'pad' in spec.fit;
    return resize(source, geometry, isPadded ? createPadding(source, resized, spec, spec.fit, emit) : emit);
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

type Resize = (source: Source, geometry: Geometry, emit: Emit) => Resizing;

function createNearest(engine: ImageSpec['engine']): Resize {
  const cache = createTableCache<{ readonly indices: Int32Array; readonly bytes: number }>(MAX_TABLE_BYTES);
  const cached = (axis: Axis, rule: (axis: Axis) => Int32Array) =>
    cache(`${rule.name} ${JSON.stringify(axis)}`, () => {
      const indices = rule(axis);
      return { indices, bytes: indices.byteLength };
    }).indices;
  return (source, { x, y }, emit) => {
    const rule = nearestRule(engine, source);
    return passOn(source, cached(x, rule), cached(y, rule), emit);
  };
}

function nearestRule(engine: ImageSpec['engine'], { isDeep }: Source): (axis: Axis) => Int32Array {
  if (engine === 'tensorflow') return tensorflow.nearestIndices;
  return isDeep ? pillow.nearestIndices16 : pillow.nearestIndices;
}

/** Pillow does not resample a picture that has the target size already; tf.image.resize does. */
function createInterpolation({ engine, resize, antialias, pillow: major }: ImageSpec): Resize {
  if (engine === 'tensorflow') {
    return createTensorFlowResize(resize as Exclude<TensorFlowMethod, 'nearest'>, antialias, MAX_TABLE_BYTES);
  }
  const filter = pillow.FILTERS[resize as Exclude<PillowFilter, 'nearest'>];
  const convolve = createPillowResize(filter, major, MAX_TABLE_BYTES);
  return (source, geometry, emit) => {
    const { x, y } = geometry;
    if (isUntouched(x) && isUntouched(y)) return passOn(source, windowOf(x), windowOf(y), emit);
    return convolve(source, geometry, emit);
  };
}

function windowOf({ windowStart, windowSize }: Axis): Int32Array {
  return range({ from: windowStart, to: windowStart + windowSize });
}

/** Resizes a picture that is decoded. */
export type Resampler = (picture: Pixels) => Resized;

/** Makes a resampler with its own tables. Throws as `createRowResize`. */
export function createResampler(spec: ImageSpec): Resampler {
  const resize = createRowResize(spec);
  const [height, width] = spec.size;
  return (picture) => ({
    width,
    height,
    channels: picture.channels,
    data: resizeWhole(picture, resize, width * height * picture.channels),
  });
}
