/**
 * Statistics of the pixels that a model gets: brightness, contrast and sharpness, for metrics and the prediction log.
 * serving/training/statistics.py computes the same numbers; docs/drift.md defines them.
 */
import { bfloat16Value } from '../domain/elements.ts';
import type { ImageSpec, MeasurePixels, PictureStatistics } from '../domain/picture.ts';
import { placingOf, stepsOf } from './normalise.ts';

/** Points of the grid in each direction. More of them cost more than they tell: docs/drift.md. */
const GRID = 32;

/** A point, its left and right neighbours, and those above and below. */
const CROSS = 5;

type Measurer = ReturnType<typeof createMeasurer>;

/** Makes the function, which keeps tables for each spec. */
export function createMeasure(): MeasurePixels {
  const measurers = new WeakMap<ImageSpec, Measurer>();
  return (row, type, spec) => {
    const measure = measurers.get(spec) ?? createMeasurer(spec);
    measurers.set(spec, measure);
    return measure(type === 'DT_BFLOAT16' ? Float32Array.from(row, bfloat16Value) : row);
  };
}

function createMeasurer(spec: ImageSpec): (row: ArrayLike<number>) => PictureStatistics {
  const pixels = crossesOf(...spec.size);
  const samples = samplesOf(spec);
  const lumas = new Uint8Array(pixels.length);
  return (row) => {
    if (spec.color === 'grayscale') readGray(row, pixels, samples, lumas);
    else if (row instanceof Uint8Array) readBytes(row, pixels, samples, lumas);
    else readLuma(row, pixels, samples, lumas);
    return statisticsOf(lumas);
  };
}

/** The pixels of the crosses, by their index in the picture. A neighbour beyond the edge is the pixel at the edge. */
function crossesOf(height: number, width: number): Int32Array {
  const [rows, columns] = [gridOf(height), gridOf(width)];
  const pixels = new Int32Array(rows.length * columns.length * CROSS);
  let at = 0;
  for (const y of rows) {
    const above = Math.max(y - 1, 0) * width;
    const below = Math.min(y + 1, height - 1) * width;
    for (const x of columns) {
      pixels[at++] = y * width + x;
      pixels[at++] = y * width + Math.max(x - 1, 0);
      pixels[at++] = y * width + Math.min(x + 1, width - 1);
      pixels[at++] = above + x;
      pixels[at++] = below + x;
    }
  }
  return pixels;
}

/** The middles of equal parts. A short side has all of its pixels. */
function gridOf(size: number): number[] {
  const count = Math.min(GRID, size);
  return Array.from({ length: count }, (_, index) => Math.floor(((2 * index + 1) * size) / (2 * count)));
}

/** Where the channels of a pixel are in a row, and how a number becomes the byte that it was: times, plus, rounded. */
type Samples = {
  readonly offsets: readonly [number, number, number];
  readonly pixelStride: number;
  readonly times: readonly [number, number, number];
  readonly plus: readonly [number, number, number];
};

function samplesOf(spec: ImageSpec): Samples {
  const { divide, multiply, add, deviation } = stepsOf(spec.scale);
  const perChannel = (of: (channel: 0 | 1 | 2) => number) => [of(0), of(1), of(2)] as const;
  return {
    ...placingOf(spec),
    times: perChannel((channel) => (deviation[channel] * divide) / multiply),
    // Half of one, so that cutting off the fraction rounds.
    plus: perChannel((channel) => (-add[channel] * divide) / multiply + 0.5),
  };
}

/** Rounded and from 0 to 255: tf.image.resize overshoots. */
function byteOf(number: number, times: number, plus: number): number {
  const sample = (number * times + plus) | 0;
  return Math.min(Math.max(sample, 0), 255);
}

function readGray(
  row: ArrayLike<number>,
  pixels: Int32Array,
  { pixelStride, times, plus }: Samples,
  lumas: Uint8Array,
) {
  for (let i = 0; i < lumas.length; i++) {
    lumas[i] = byteOf(row[(pixels[i] as number) * pixelStride] as number, times[0], plus[0]);
  }
}

/** Pillow's luma of RGB, as in samples.ts. */
function readLuma(row: ArrayLike<number>, pixels: Int32Array, samples: Samples, lumas: Uint8Array): void {
  const { offsets, pixelStride, times, plus } = samples;
  const [redAt, greenAt, blueAt] = offsets;
  const [redTimes, greenTimes, blueTimes] = times;
  const [redPlus, greenPlus, bluePlus] = plus;
  for (let i = 0; i < lumas.length; i++) {
    const at = (pixels[i] as number) * pixelStride;
    const red = byteOf(row[at + redAt] as number, redTimes, redPlus);
    const green = byteOf(row[at + greenAt] as number, greenTimes, greenPlus);
    const blue = byteOf(row[at + blueAt] as number, blueTimes, bluePlus);
    lumas[i] = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
  }
}

/** The same of bytes, which no scale changes. */
function readBytes(row: Uint8Array, pixels: Int32Array, samples: Samples, lumas: Uint8Array): void {
  const { offsets, pixelStride } = samples;
  const [redAt, greenAt, blueAt] = offsets;
  for (let i = 0; i < lumas.length; i++) {
    const at = (pixels[i] as number) * pixelStride;
    const red = row[at + redAt] as number;
    const green = row[at + greenAt] as number;
    const blue = row[at + blueAt] as number;
    lumas[i] = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
  }
}

/** Sums of integers, so that every order of adding gives the same numbers. */
function statisticsOf(lumas: Uint8Array): PictureStatistics {
  let sum = 0;
  let squares = 0;
  let differences = 0;
  for (let i = 0; i < lumas.length; i += CROSS) {
    const luma = lumas[i] as number;
    const around =
      (lumas[i + 1] as number) + (lumas[i + 2] as number) + (lumas[i + 3] as number) + (lumas[i + 4] as number);
    sum += luma;
    squares += luma * luma;
    differences += Math.abs(4 * luma - around);
  }
  const count = lumas.length / CROSS;
  const brightness = sum / count;
  return {
    brightness,
    contrast: Math.sqrt((count * squares - sum * sum) / (count * count)),
    sharpness: differences / count,
  };
}
