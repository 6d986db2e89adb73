/** A picture as segmentation takes it: values from -1 to 1, resized to a square, smoothed by a Gaussian filter. */
import type { Steps } from '../../domain/steps.ts';
import type { FloatPixels } from '../baselines.ts';

/** The parameters of segmentation are for pictures of this side, as in XRAI's reference implementation. */
export const SIDE = 224;
const SIGMA = 0.8;
const RADIUS = 3;
/** Keys' parameter of bicubic interpolation. */
const KEYS = -0.5;
const LINES_OF_STEP = 32;

/** The weights of the values around each place of a line: `size` places from `first`. */
type Filter = { readonly first: Int32Array; readonly weights: Float32Array; readonly size: number };

/** [SIDE, SIDE, channels], row-major. */
export function* smoothed({ pixels, height, width, channels }: FloatPixels): Steps<Float32Array> {
  const across = bicubic(width);
  const down = bicubic(height);
  const wide = yield* filterLines(pixels, across, { lines: height, from: width, to: SIDE, channels });
  const high = yield* filterLines(transposed(wide, height, SIDE, channels), down, {
    lines: SIDE,
    from: height,
    to: SIDE,
    channels,
  });
  const gauss = gaussian();
  const size = { lines: SIDE, from: SIDE, to: SIDE, channels };
  const once = yield* filterLines(inRange(high, pixels), gauss, size);
  return yield* filterLines(transposed(once, SIDE, SIDE, channels), gauss, size);
}

/** Filters each line; values before the first and after the last are mirrored. */
function* filterLines(
  values: Float32Array,
  { first, weights, size }: Filter,
  { lines, from, to, channels }: Record<'lines' | 'from' | 'to' | 'channels', number>,
): Steps<Float32Array> {
  const made = new Float32Array(lines * to * channels);
  for (let line = 0; line < lines; line += 1) {
    for (let place = 0; place < to; place += 1) {
      for (let tap = 0; tap < size; tap += 1) {
        const source = mirrored((first[place] as number) + tap, from);
        const weight = weights[place * size + tap] as number;
        for (let channel = 0; channel < channels; channel += 1) {
          const at = (line * to + place) * channels + channel;
          made[at] = (made[at] as number) + weight * (values[(line * from + source) * channels + channel] as number);
        }
      }
    }
    if (line % LINES_OF_STEP === LINES_OF_STEP - 1) yield;
  }
  return made;
}

function mirrored(place: number, size: number): number {
  const turned = ((place % (2 * size)) + 2 * size) % (2 * size);
  return turned < size ? turned : 2 * size - 1 - turned;
}

function bicubic(from: number): Filter {
  const size = 4;
  const first = new Int32Array(SIDE);
  const weights = new Float32Array(SIDE * size);
  for (let place = 0; place < SIDE; place += 1) {
    const centre = ((place + 0.5) * from) / SIDE - 0.5;
    first[place] = Math.floor(centre) - 1;
    for (let tap = 0; tap < size; tap += 1) {
      weights[place * size + tap] = cubic(Math.abs((first[place] as number) + tap - centre));
    }
  }
  return { first, weights, size };
}

/** Keys, Cubic Convolution Interpolation for Digital Image Processing, 1981. */
function cubic(distance: number): number {
  if (distance <= 1) return (KEYS + 2) * distance ** 3 - (KEYS + 3) * distance ** 2 + 1;
  if (distance < 2) return KEYS * (distance ** 3 - 5 * distance ** 2 + 8 * distance - 4);
  return 0;
}

function gaussian(): Filter {
  const size = 2 * RADIUS + 1;
  const kernel = Float64Array.from({ length: size }, (_, tap) => Math.exp(-0.5 * ((tap - RADIUS) / SIGMA) ** 2));
  const sum = kernel.reduce((total, weight) => total + weight, 0);
  const weights = Float32Array.from({ length: SIDE * size }, (_, index) => (kernel[index % size] as number) / sum);
  return { first: Int32Array.from({ length: SIDE }, (_, place) => place - RADIUS), weights, size };
}

function transposed(values: Float32Array, rows: number, columns: number, channels: number): Float32Array {
  const made = new Float32Array(values.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      for (let channel = 0; channel < channels; channel += 1) {
        made[(column * rows + row) * channels + channel] = values[
          (row * columns + column) * channels + channel
        ] as number;
      }
    }
  }
  return made;
}

/** From the darkest and the brightest of `all` to -1 and 1. Interpolation does not go beyond. */
function inRange(values: Float32Array, all: Float32Array): Float32Array {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of all) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const half = Math.max(most - least, Number.EPSILON) / 2;
  return values.map((value) => (Math.min(most, Math.max(least, value)) - least) / half - 1);
}
