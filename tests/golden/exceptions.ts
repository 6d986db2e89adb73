/** The pictures that do not come out exact, each with its reason; every other difference is a failure. */

export type Exception = {
  readonly why: string;
  /** Largest difference of a decoded sample from Pillow's, in levels of 255. */
  readonly largestDifference: number;
};

const CHROMA = 'libheif upsamples chroma in another way than libavif';

export const EXCEPTIONS: Readonly<Record<string, Exception>> = {
  'avif-420.avif': { why: CHROMA, largestDifference: 98 },
  'avif-444.avif': { why: 'libheif rounds YCbCr to RGB in another way than libavif', largestDifference: 1 },
  'avif-alpha.avif': { why: CHROMA, largestDifference: 116 },
};

/** Formats that Pillow reads and that are refused here by their names. */
export const NOT_OFFERED = /\.(?:bmp|ico|jp2|ppm)$/;
