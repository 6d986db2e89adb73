/** Letterbox: puts a resized picture into the tensor's size and fills the rest with a colour. */
import type { ImageSpec, Padding, Pixels, Resized } from '../../domain/picture.ts';
import { placeOf } from './geometry.ts';

/** Returns a picture of the spec's size. `original`: the picture before it was resized. */
export function padded(original: Pixels, resized: Resized, spec: ImageSpec, padding: Padding): Resized {
  const [height, width] = spec.size;
  const { channels, data } = resized;
  const { left, top } = placeOf(original, resized, spec, padding);
  const canvas = filled(data, width * height * channels, padding.pad);
  const row = resized.width * channels;
  for (let y = 0; y < resized.height; y++) {
    canvas.set(data.subarray(y * row, (y + 1) * row), ((top + y) * width + left) * channels);
  }
  return { width, height, channels, data: canvas };
}

/** Samples of the colour, in the type of `like`. */
function filled(like: Resized['data'], length: number, colour: Padding['pad']): Resized['data'] {
  const canvas = new (like.constructor as new (length: number) => Resized['data'])(length);
  if (typeof colour === 'number') return canvas.fill(colour);
  for (let i = 0; i < length; i++) canvas[i] = colour[i % colour.length] as number;
  return canvas;
}
