/** Bounds the memory and time of a resize, whatever the picture's shape: tables grow with its sides, passes with one of them. */

import type { Pixels } from '../../domain/picture.ts';
import { GatewayError } from '../../errors.ts';

type Size = Pick<Pixels, 'width' | 'height'>;

/** As long as a JPEG can be. */
const MAX_SIDE = 65_535;

/**
 * Samples that a first pass may produce. It brings one side to the target's length and leaves the other the picture's:
 * a JPEG of the full 65,535 rows by 299 columns in RGB comes to 59 million.
 */
const MAX_SAMPLES = 2 ** 26;

/** @throws GatewayError image_too_large for a picture with a side that no table is made for. */
export function allowSides(picture: Size): void {
  if (Math.max(picture.width, picture.height) > MAX_SIDE) throw tooLarge(picture);
}

/** @throws GatewayError image_too_large when the picture between two passes would hold too much. */
export function allowSamples(samples: number, picture: Size): void {
  if (samples > MAX_SAMPLES) throw tooLarge(picture);
}

function tooLarge({ width, height }: Size): GatewayError {
  const detail = `An image of ${width} x ${height} pixels is too long and thin to be resized; crop it.`;
  return new GatewayError('image_too_large', detail);
}
