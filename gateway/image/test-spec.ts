/** An image specification for tests and benchmarks: the original pipeline's, with the given fields changed. */
import type { ImageSpec } from '../domain/picture.ts';

/** keras-image-helper's preprocessing for Xception: 299 x 299, Pillow's nearest, scaled to -1 to 1. */
export function testSpec(given: Partial<ImageSpec> = {}): ImageSpec {
  return {
    size: [299, 299],
    engine: 'pillow',
    resize: 'nearest',
    antialias: false,
    fit: 'stretch',
    scale: 'tf',
    color: 'rgb',
    layout: 'NHWC',
    pillow: 13,
    ...given,
  };
}
