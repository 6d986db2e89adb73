/** The images that differ from Pillow, each with its reason. Any other difference fails the tests. */

export type Exception = {
  readonly why: string;
  /** The largest difference of a decoded sample from Pillow's, in levels of 255. */
  readonly largestDifference: number;
};

const CHROMA = 'libheif upsamples chroma differently from libavif';

export const EXCEPTIONS: Readonly<Record<string, Exception>> = {
  'avif-420.avif': { why: CHROMA, largestDifference: 98 },
  'avif-444.avif': { why: 'libheif rounds YCbCr to RGB differently from libavif', largestDifference: 1 },
  'avif-alpha.avif': { why: CHROMA, largestDifference: 116 },
};

/** Formats that Pillow reads and the gateway refuses as unsupported. */
export const NOT_OFFERED = /\.(?:bmp|ico|jp2|ppm)$/;
