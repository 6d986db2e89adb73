/** Letterbox: puts a resized picture into the tensor's size and fills the rest with a colour, row by row. */
import type { ImageSpec, Padding, Resized } from '../../domain/picture.ts';
import { placeOf } from './geometry.ts';
import type { Emit, Source } from './rows.ts';

type Samples = Resized['data'];
type Size = { readonly width: number; readonly height: number };

/** Returns a function that takes the rows of the resized picture, and passes on rows of the spec's size. */
export function createPadding(source: Source, resized: Size, spec: ImageSpec, padding: Padding, emit: Emit): Emit {
  const [height, width] = spec.size;
  const { channels } = source;
  const { left, top } = placeOf(source, resized, spec, padding);
  const [length, taken] = [width * channels, resized.width * channels];
  let row = 0;
  return (data) => {
    const count = data.length / taken;
    const before = row === 0 ? top : 0;
    row += count;
    const after = row === resized.height ? height - top - resized.height : 0;
    const canvas = filled(data, (before + count + after) * length, padding.pad);
    for (let y = 0; y < count; y++) {
      canvas.set(data.subarray(y * taken, (y + 1) * taken), (before + y) * length + left * channels);
    }
    emit(canvas);
  };
}

/** Samples of the colour, in the type of `like`. */
function filled(like: Samples, length: number, colour: Padding['pad']): Samples {
  const canvas = new (like.constructor as new (length: number) => Samples)(length);
  if (typeof colour === 'number') return canvas.fill(colour);
  for (let i = 0; i < length; i++) canvas[i] = colour[i % colour.length] as number;
  return canvas;
}
