/** From decoded pixels to a model's input tensor, in the one way that its training did it. */
import type { ImageSpec, Pixels } from '../pipeline/request.ts';
import { createNormaliser } from './normalise.ts';
import { createResampler } from './resample.ts';

/**
 * Writes one picture's tensor into `out`: height x width x channels numbers in the spec's layout, without a batch axis.
 * `out` may be a slice of the bytes that go on the wire; as Uint8Array only for scale none.
 * @throws GatewayError image_too_large when the picture's shape would take too much memory to resize.
 */
export type Preprocessor = (pixels: Pixels, out: Float32Array | Uint8Array) => void;

/**
 * Makes the preprocessor of one model; it keeps its tables from picture to picture, within a bound.
 * @throws RangeError when the spec contradicts itself: a method its engine has not, a crop larger than the resize.
 */
export function createPreprocessor(spec: ImageSpec): Preprocessor {
  const resample = createResampler(spec);
  const normalise = createNormaliser(spec);
  return (pixels, out) => normalise(resample(pixels), out);
}
