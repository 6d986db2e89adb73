/** Pixels in CIELAB, where equal distances are about equally visible. sRGB: IEC 61966-2-1. White: D65. */
import type { Steps } from '../domain/steps.ts';
import type { FloatPixels } from './baselines.ts';

/** Linear light of each level of a channel. Levels between are rounded: a segmentation needs no more. */
const LINEAR = Float32Array.from({ length: 256 }, (_, level) => {
  const value = level / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});
const [WHITE_X, WHITE_Z] = [0.95047, 1.08883];
const EPSILON = 216 / 24389;
const KAPPA = 24389 / 27;
/** Pixels of one step: about two milliseconds. */
const PIXELS_OF_STEP = 2 ** 13;

/** L, a and b of each pixel. Gray pixels have no a and b. */
export function* toLab({ pixels, channels }: FloatPixels): Steps<Float32Array> {
  const count = pixels.length / channels;
  const lab = new Float32Array(3 * count);
  for (let pixel = 0; pixel < count; pixel += 1) {
    const red = linear(pixels[channels * pixel] as number);
    const green = channels === 1 ? red : linear(pixels[3 * pixel + 1] as number);
    const blue = channels === 1 ? red : linear(pixels[3 * pixel + 2] as number);
    const x = curve((0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / WHITE_X);
    const y = curve(0.2126729 * red + 0.7151522 * green + 0.072175 * blue);
    const z = curve((0.0193339 * red + 0.119192 * green + 0.9503041 * blue) / WHITE_Z);
    lab[3 * pixel] = 116 * y - 16;
    lab[3 * pixel + 1] = 500 * (x - y);
    lab[3 * pixel + 2] = 200 * (y - z);
    if (pixel % PIXELS_OF_STEP === PIXELS_OF_STEP - 1) yield;
  }
  return lab;
}

function linear(sample: number): number {
  return LINEAR[Math.min(255, Math.max(0, Math.round(sample)))] as number;
}

function curve(t: number): number {
  return t > EPSILON ? Math.cbrt(t) : (KAPPA * t + 16) / 116;
}
