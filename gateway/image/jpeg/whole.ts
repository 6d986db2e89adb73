/** All pixels of a JPEG. */
import type { Pixels } from '../../domain/picture.ts';
import { decodeJpeg } from './decode.ts';

/** Decodes a picture of at most `maxPixels`. Undefined for a file that is left to sharp. */
export function decodeWholeJpeg(bytes: Uint8Array, channels: 1 | 3, maxPixels: number): Pixels | undefined {
  let pixels: (Pixels & { readonly data: Uint8Array }) | undefined;
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
  return result === 'ok' ? pixels : undefined;
}

/** 0, 1, 2 and so on. */
function upTo(count: number): Int32Array {
  const numbers = new Int32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = i;
  return numbers;
}
