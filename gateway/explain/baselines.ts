/** What pixels of a picture are replaced by, to see what the model makes of the rest. */
import type { Steps } from '../domain/steps.ts';

export const PICTURE_BASELINES = ['blur', 'mean', 'black', 'white', 'noise'] as const;
export type PictureBaseline = (typeof PICTURE_BASELINES)[number];

/** The baselines that have no random numbers. */
export type PlainBaseline = Exclude<PictureBaseline, 'noise'>;

/** Pixels from 0 to 255, row-major, channels interleaved. */
export type FloatPixels = {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly pixels: Float32Array;
};

/** Of the longer side: the radius of each of the box filters. Three of them are close to a Gaussian filter. */
const BLUR_SHARE = 1 / 12;
const BOXES = 3;
/** Samples of one step: less than a millisecond. */
const SAMPLES_OF_STEP = 2 ** 15;

/** The pixels that replace those of the picture. */
export function* fillOf(picture: FloatPixels, baseline: PlainBaseline): Steps<Float32Array> {
  if (baseline === 'blur') return yield* blurred(picture);
  const { pixels, channels } = picture;
  const fill = new Float32Array(pixels.length);
  if (baseline !== 'mean') return fill.fill(baseline === 'black' ? 0 : 255);
  const means = meansOf(picture);
  for (let index = 0; index < fill.length; index += 1) fill[index] = means[index % channels] as number;
  yield;
  return fill;
}

function meansOf({ pixels, channels }: FloatPixels): Float64Array {
  const sums = new Float64Array(channels);
  for (let index = 0; index < pixels.length; index += 1) {
    sums[index % channels] = (sums[index % channels] as number) + (pixels[index] as number);
  }
  return sums.map((sum) => (sum * channels) / pixels.length);
}

/** The picture through box filters along both axes. At its border the outermost pixels go on. */
function* blurred({ pixels, height, width, channels }: FloatPixels): Steps<Float32Array> {
  const radius = Math.max(1, Math.round(Math.max(height, width) * BLUR_SHARE));
  let from = new Float32Array(pixels);
  let to = new Float32Array(pixels.length);
  const row = width * channels;
  for (let box = 0; box < 2 * BOXES; box += 1) {
    const isAcross = box % 2 === 0;
    const lines = isAcross ? height * channels : row;
    const size = isAcross ? width : height;
    const stride = isAcross ? channels : row;
    for (let line = 0; line < lines; line += 1) {
      const start = isAcross ? Math.floor(line / channels) * row + (line % channels) : line;
      boxFilter(from, to, { start, stride, size, radius });
      if ((line * size) % SAMPLES_OF_STEP < size) yield;
    }
    [from, to] = [to, from];
  }
  return from;
}

type Line = { readonly start: number; readonly stride: number; readonly size: number; readonly radius: number };

/** The mean of the samples within the radius, by a sum that moves along the line. */
function boxFilter(from: Float32Array, to: Float32Array, { start, stride, size, radius }: Line): void {
  const at = (index: number) => from[start + Math.min(size - 1, Math.max(0, index)) * stride] as number;
  let sum = 0;
  for (let index = -radius; index <= radius; index += 1) sum += at(index);
  for (let index = 0; index < size; index += 1) {
    to[start + index * stride] = sum / (2 * radius + 1);
    sum += at(index + radius + 1) - at(index - radius);
  }
}
