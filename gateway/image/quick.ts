/** Which JPEGs are converted on the main thread: those that take at most 3 ms there. */
import type { ImageSpec } from '../domain/picture.ts';
import type { JpegFrame } from './jpeg/decode.ts';

const MOST_NS = 3e6;
/** Nanoseconds for a byte of the file: the most, in files of noise. */
const PER_BYTE = 7;

/** Nanoseconds for a pixel of the picture, and for a number of the tensor. Measured on a slow core; most pictures take less. */
type Rates = { readonly pixel: number; readonly number: number };
const NEAREST: Rates = { pixel: 1, number: 1.5 };
const PILLOW: Rates = { pixel: 5, number: 4 };
const TENSORFLOW: Rates = { pixel: 1, number: 150 };

/**
 * Pixels of a picture in several scans, as progressive files are. A file may have 100 scans that pass all blocks with few
 * bytes.
 */
const MOST_KEPT_PIXELS = 250_000;

type Size = { readonly width: number; readonly height: number };

/** Whether a JPEG of this header is quick to convert, if its frame is. */
export function isQuick({ width, height }: Size, { length }: Uint8Array, spec: ImageSpec): boolean {
  const numbers = spec.size[0] * spec.size[1] * (spec.color === 'rgb' ? 3 : 1);
  const rates = ratesOf(spec);
  return length * PER_BYTE + width * height * rates.pixel + numbers * rates.number <= MOST_NS;
}

function ratesOf({ engine, resize }: ImageSpec): Rates {
  if (resize === 'nearest') return NEAREST;
  return engine === 'pillow' ? PILLOW : TENSORFLOW;
}

export function isQuickFrame({ width, height, isKept }: JpegFrame): boolean {
  return !isKept || width * height <= MOST_KEPT_PIXELS;
}
