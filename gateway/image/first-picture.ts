/**
 * Rewrites a file to what libvips needs for its first picture. libvips refuses some files that Pillow reads (bytes
 * between blocks, unknown chunks, animations), and takes minutes for others.
 */
import type { ImageFormat } from '../domain/picture.ts';
import { stillAvif } from './first-picture/avif.ts';
import { firstFrameOfGif } from './first-picture/gif.ts';
import { withFewSegments } from './first-picture/jpeg.ts';
import { pixelChunks } from './first-picture/png.ts';
import { firstDirectory } from './first-picture/tiff.ts';
import { firstFrameOfWebp } from './first-picture/webp.ts';

const REWRITERS: Readonly<Partial<Record<ImageFormat, (bytes: Uint8Array) => Uint8Array>>> = {
  jpeg: withFewSegments,
  png: pixelChunks,
  webp: firstFrameOfWebp,
  gif: firstFrameOfGif,
  avif: stillAvif,
  tiff: firstDirectory,
};

/**
 * Returns a file of the first picture only, or the bytes themselves. The header has been checked before.
 * @throws RangeError when the file ends too early; TooManyParts.
 */
export function firstPicture(bytes: Uint8Array, format: ImageFormat): Uint8Array {
  return REWRITERS[format]?.(bytes) ?? bytes;
}
