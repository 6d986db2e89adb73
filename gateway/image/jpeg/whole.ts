/** All pixels of a JPEG. */
import type { Pixels } from '../../domain/picture.ts';
import { decodeJpeg, type JpegResult } from './decode.ts';

type JpegPixels = Pixels & { readonly data: Uint8Array };

/** Decodes a picture of at most `maxPixels`, or says why not. */
export function decodeWholeJpeg(
  bytes: Uint8Array,
  channels: 1 | 3,
  maxPixels: number,
): JpegPixels | Exclude<JpegResult, 'ok'> {
  let pixels: JpegPixels | undefined;
  const result = decodeJpeg(bytes, {
    select({ width, height }) {
      if (width * height > maxPixels) return undefined;
      pixels = { width, height, channels, data: new Uint8Array(width * height * channels) };
      return { columns: upTo(width), rows: upTo(height), channels };
    },
    take(samples, first) {
      pixels?.data.set(samples, first * pixels.width * channels);
    },
  });
  if (result !== 'ok') return result;
  return pixels ?? 'declined';
}

/** 0, 1, 2 and so on. */
function upTo(count: number): Int32Array {
  const numbers = new Int32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = i;
  return numbers;
}
