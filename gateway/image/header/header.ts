/** An image's header, read before any pixel is decoded, and helpers for the readers of each format. */

/** The kind of samples that a file stores. It selects the conversion that gives Pillow's pixels. */
export type Samples =
  /** The decoder's 8-bit sRGB is used as it is. */
  | { readonly kind: 'plain' }
  /** One channel of 16 bits. `clipped`: Pillow has no 16-bit path for the file (big-endian TIFF). */
  | { readonly kind: 'gray16'; readonly clipped: boolean }
  /** Four inks. `adobe`: a JPEG with Adobe's marker, which TensorFlow reads in another way. */
  | { readonly kind: 'cmyk'; readonly adobe: boolean }
  /** RGB multiplied by its alpha (TIFF's associated alpha). */
  | { readonly kind: 'premultiplied' }
  /** A first frame with transparent pixels or smaller than its canvas (GIF). `fill`: the colour of the open pixels. */
  | { readonly kind: 'framed'; readonly frame: Frame; readonly fill: Rgb }
  /** YCbCr that libvips would convert in another way than Pillow (AVIF): it is decoded without a conversion. */
  | ({ readonly kind: 'ycbcr' } & YCbCr);

export type YCbCr = {
  /** Bits of a sample: 8, 10 or 12. */
  readonly depth: number;
  /** No chroma. */
  readonly isGray: boolean;
  /** Whether chroma has half the columns, or half the rows. */
  readonly isHalfWide: boolean;
  readonly isHalfHigh: boolean;
  /** MatrixCoefficients of ITU-T H.273. */
  readonly matrix: number;
  /** Luma from 0 to the largest value, not from 16 to 235 (of 8 bits). */
  readonly isFullRange: boolean;
};

export type Rgb = readonly [number, number, number];

/** Position and size of a frame on its canvas, in pixels. */
export type Frame = { readonly left: number; readonly top: number; readonly width: number; readonly height: number };

export type ImageHeader = {
  /** Declared size in pixels. */
  readonly width: number;
  readonly height: number;
  /** Undefined for a variant that no decoder here reads as Pillow does. */
  readonly samples: Samples | undefined;
  /** Whether to apply the orientation tag. Pillow does so for TIFF only. */
  readonly turned: boolean;
};

/**
 * Reads one format's header. Returns undefined for a damaged header. A read past the end throws RangeError, which
 * `sniff` treats as damaged too. A reader counts the parts that it walks with `countParts`.
 */
export type HeaderReader = (bytes: DataView) => ImageHeader | undefined;

/** Segments, blocks, boxes, chunks or tags. Real files have under 1,000. */
export const MAX_PARTS = 16_384;
/** Bytes between parts, and the small blocks within one. They take 2 ms at most. */
const MAX_FILLERS = 2 ** 18;

/** A reader has given up: the file has more parts than any real one. What it did not see may be harmful. */
export class TooManyParts extends RangeError {}

/** Returns a function to call for each part, or for several. @throws TooManyParts beyond the limit. */
export const countParts = () => createCount(MAX_PARTS, 'parts');

/** The same for each byte or block between two parts. */
export const countFillers = () => createCount(MAX_FILLERS, 'bytes or blocks between its parts');

export type Count = (parts?: number) => void;

function createCount(limit: number, what: string): Count {
  let counted = 0;
  return (parts = 1) => {
    counted += parts;
    if (counted > limit) throw new TooManyParts(`more than ${limit} ${what}`);
  };
}

/** The length of PNG's signature. */
export const SIGNATURE_BYTES = 8;

export const PLAIN: Samples = { kind: 'plain' };

/** A header without an orientation to apply; undefined when the declared size is empty. */
export function header(width: number, height: number, samples: Samples | undefined): ImageHeader | undefined {
  return width > 0 && height > 0 ? { width, height, samples, turned: false } : undefined;
}

/** Reads `length` bytes as Latin-1 text. */
export function text(bytes: DataView, offset: number, length: number): string {
  let read = '';
  for (let i = 0; i < length; i++) read += String.fromCharCode(bytes.getUint8(offset + i));
  return read;
}
