/** What an image's header tells before any pixel is decoded, and how a reader of headers looks at bytes. */

/** What has to be known of the stored samples so that decoding gives the pixels that Pillow gives. */
export type Samples =
  /** The decoder's own 8-bit sRGB is right. */
  | { readonly kind: 'plain' }
  /** One channel of 16 bits; `clipped` where Pillow has no 16-bit path for the file (big-endian TIFF). */
  | { readonly kind: 'gray16'; readonly clipped: boolean }
  /** Four inks; `adobe` when a JPEG says so, which decides how TensorFlow reads them. */
  | { readonly kind: 'cmyk'; readonly adobe: boolean }
  /** RGB that was multiplied by its alpha (TIFF's associated alpha). */
  | { readonly kind: 'premultiplied' }
  /** A first frame with holes or smaller than its canvas (GIF); `fill` is the colour that stands there. */
  | { readonly kind: 'framed'; readonly frame: Frame; readonly fill: Rgb };

export type Rgb = readonly [number, number, number];

/** Where a frame stands on its canvas, in pixels. */
export type Frame = { readonly left: number; readonly top: number; readonly width: number; readonly height: number };

export type ImageHeader = {
  /** Declared size in pixels. */
  readonly width: number;
  readonly height: number;
  /** undefined: a variant that no decoder here reads as Pillow does. */
  readonly samples: Samples | undefined;
  /** The orientation tag is to be obeyed; Pillow does so for TIFF alone. */
  readonly turned: boolean;
};

/**
 * Reads one format's header. Gives undefined when the header is damaged; a read past the end throws RangeError, which
 * `sniff` takes for the same. May look at no more than `MAX_STEPS` parts, whatever the bytes say.
 */
export type HeaderReader = (bytes: DataView) => ImageHeader | undefined;

/** How many segments, blocks, boxes or tags a reader walks before it calls a header damaged; real files have under 1,000. */
export const MAX_STEPS = 16_384;

export const PLAIN: Samples = { kind: 'plain' };

/** A header of the ordinary kind, or undefined when the declared size is empty. */
export function header(width: number, height: number, samples: Samples | undefined): ImageHeader | undefined {
  return width > 0 && height > 0 ? { width, height, samples, turned: false } : undefined;
}

/** Reads `length` bytes as Latin-1 text. */
export function text(bytes: DataView, offset: number, length: number): string {
  let read = '';
  for (let i = 0; i < length; i++) read += String.fromCharCode(bytes.getUint8(offset + i));
  return read;
}
