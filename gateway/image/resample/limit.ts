/** Bounds the memory and time of a resize whatever the picture's shape. */
import { GatewayError } from '../../errors.ts';
import type { Geometry } from './geometry.ts';

/**
 * Samples that a first pass may produce. It makes one side the target's and leaves the other the picture's, so that
 * only a picture thousands of times longer than wide comes near: 65,535 pixels by 299 in RGB are 59 million.
 */
const MAX_SAMPLES = 2 ** 26;

/** @throws GatewayError image_too_large when the picture between two passes would hold more than that. */
export function allowSamples(samples: number, { x, y }: Geometry): void {
  if (samples <= MAX_SAMPLES) return;
  throw new GatewayError(
    'image_too_large',
    `An image of ${x.input} x ${y.input} pixels is too long and thin; crop it.`,
  );
}
