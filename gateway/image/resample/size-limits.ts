/** Limits the memory and time of a resize. Tables grow with both sides of a picture, the passes with one of them. */

import type { Pixels } from '../../domain/picture.ts';
import { GatewayError } from '../../errors.ts';

type Size = Pick<Pixels, 'width' | 'height'>;

/** The longest side of a JPEG. */
const MAX_SIDE = 65_535;

/**
 * Limit on the samples after the first pass, which resizes one side only. A JPEG of 65,535 rows has 59 million after it
 * (299 columns, RGB).
 */
const MAX_SAMPLES = 2 ** 26;

/** @throws GatewayError image_too_large when a side is longer than the limit. */
export function checkSides(picture: Size): void {
  if (Math.max(picture.width, picture.height) > MAX_SIDE) throw tooLarge(picture);
}

/** @throws GatewayError image_too_large when the picture between the two passes has too many samples. */
export function checkSamples(samples: number, picture: Size): void {
  if (samples > MAX_SAMPLES) throw tooLarge(picture);
}

function tooLarge({ width, height }: Size): GatewayError {
  const detail = `An image of ${width} x ${height} pixels is too long and thin to be resized; crop it.`;
  return new GatewayError('image_too_large', detail);
}
