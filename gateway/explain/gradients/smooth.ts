/**
 * A picture as segmentation takes it: values from -1 to 1, resized to a square, smoothed by a Gaussian filter. The numbers are those of
 * scikit-image, because small differences move segments: cubic splines with zeros outside, then sigma 0.8 with mirrored borders.
 */
import type { Steps } from '../../domain/steps.ts';
import type { FloatPixels } from '../baselines.ts';

/** The parameters of segmentation are for pictures of this side, as in XRAI's reference implementation. */
export const SIDE = 224;
const SIGMA = 0.8;
const RADIUS = 3;
/** The pole of the filter that makes the coefficients of a cubic spline: Unser, Splines: A Perfect Fit for Signal and Image Processing, 1999. */
const POLE = Math.sqrt(3) - 2;
/** Zeros before and after a line: the filter has forgotten them after so many. */
const PADDING = 12;
const LINES_OF_STEP = 64;

/** `lines` lines of `size` pixels. */
type Lines = { readonly lines: number; readonly size: number; readonly channels: number };

/** [SIDE, SIDE, channels], row-major. */
export function* smoothed({ pixels, height, width, channels }: FloatPixels): Steps<Float32Array> {
  const scaled = inRange(pixels);
  yield;
  const wide = yield* resized(scaled, { lines: height, size: width, channels });
  const turned = transposed(wide, height, SIDE, channels);
  yield;
  const square = yield* resized(turned, { lines: SIDE, size: height, channels });
  // Interpolation does not go beyond the values that there are.
  const [least, most] = rangeOf(scaled);
  for (const [at, value] of square.entries()) square[at] = Math.min(most, Math.max(least, value));
  yield;
  const once = yield* blurred(square, channels);
  return yield* blurred(transposed(once, SIDE, SIDE, channels), channels);
}

/** Each line as SIDE values of its cubic spline. */
function* resized(values: Float32Array, { lines, size, channels }: Lines): Steps<Float32Array> {
  const made = new Float32Array(lines * SIDE * channels);
  const line = new Float64Array(size + 2 * PADDING);
  const places = Float64Array.from({ length: SIDE }, (_, place) => ((place + 0.5) * size) / SIDE - 0.5 + PADDING);
  for (let number = 0; number < lines * channels; number += 1) {
    const [row, channel] = [Math.floor(number / channels), number % channels];
    line.fill(0);
    for (let at = 0; at < size; at += 1) line[PADDING + at] = values[(row * size + at) * channels + channel] as number;
    toCoefficients(line);
    for (const [place, centre] of places.entries()) {
      const first = Math.floor(centre) - 1;
      let sum = 0;
      for (let tap = first; tap < first + 4; tap += 1) sum += spline(Math.abs(tap - centre)) * (line[tap] as number);
      made[(row * SIDE + place) * channels + channel] = sum;
    }
    if (number % LINES_OF_STEP === LINES_OF_STEP - 1) yield;
  }
  return made;
}

/** The coefficients of the cubic spline through the values of a line that begins and ends with zeros. In place. */
function toCoefficients(line: Float64Array): void {
  const last = line.length - 1;
  for (let at = 1; at <= last; at += 1) line[at] = (line[at] as number) + POLE * (line[at - 1] as number);
  line[last] = (POLE / (POLE * POLE - 1)) * ((line[last] as number) + POLE * (line[last - 1] as number));
  for (let at = last - 1; at >= 0; at -= 1) line[at] = POLE * ((line[at + 1] as number) - (line[at] as number));
  for (let at = 0; at <= last; at += 1) line[at] = 6 * (line[at] as number);
}

/** The cubic B-spline at a distance from its middle. */
function spline(distance: number): number {
  if (distance < 1) return 2 / 3 - distance ** 2 + distance ** 3 / 2;
  return distance < 2 ? (2 - distance) ** 3 / 6 : 0;
}

/** Each line of the square through the Gaussian filter. */
function* blurred(values: Float32Array, channels: number): Steps<Float32Array> {
  const taps = Array.from({ length: 2 * RADIUS + 1 }, (_, tap) => tap - RADIUS);
  const kernel = taps.map((tap) => Math.exp(-0.5 * (tap / SIGMA) ** 2));
  const whole = kernel.reduce((sum, weight) => sum + weight, 0);
  const made = new Float32Array(values.length);
  for (let row = 0; row < SIDE; row += 1) {
    for (let at = 0; at < SIDE * channels; at += 1) {
      const [place, channel] = [Math.floor(at / channels), at % channels];
      let sum = 0;
      for (const [index, tap] of taps.entries()) {
        const source = mirrored(place + tap) * channels + channel;
        sum += (kernel[index] as number) * (values[row * SIDE * channels + source] as number);
      }
      made[row * SIDE * channels + at] = sum / whole;
    }
    if (row % LINES_OF_STEP === LINES_OF_STEP - 1) yield;
  }
  return made;
}

function mirrored(place: number): number {
  if (place < 0) return -1 - place;
  return place < SIDE ? place : 2 * SIDE - 1 - place;
}

function transposed(values: Float32Array, rows: number, columns: number, channels: number): Float32Array {
  const made = new Float32Array(values.length);
  let from = 0;
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const to = (column * rows + row) * channels;
      for (let channel = 0; channel < channels; channel += 1) made[to + channel] = values[from++] as number;
    }
  }
  return made;
}

function rangeOf(values: Float32Array): readonly [least: number, most: number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return [least, most];
}

/** From the least and the largest value to -1 and 1. */
function inRange(values: Float32Array): Float32Array {
  const [least, most] = rangeOf(values);
  const half = Math.max(most - least, Number.EPSILON) / 2;
  return values.map((value) => (value - least) / half - 1);
}
