/** An image's specification for tests and benches: the original pipeline's, but for what they give. */
import type { ImageSpec } from '../domain/picture.ts';

/** 299 x 299, nearest as Pillow has it, from -1 to 1: keras-image-helper's for Xception. */
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
