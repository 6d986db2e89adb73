/**
 * YCbCr to 8-bit RGB as libavif does it for Pillow, with libyuv: chroma interpolated to the size of luma (scale_common.cc,
 * `ScaleRowUp2_Bilinear`), then fixed-point sums (row_common.cc, `YuvPixel`).
 */
import type { YCbCr } from './header/header.ts';

/** Luma's factor and summand, and chroma's factors: libyuv's kYToRgb, kYBiasToRgb, kUVToB, kUVToG, kUVToR. */
type Constants = {
  readonly luma: number;
  readonly bias: number;
  readonly blueOfCb: number;
  readonly greenOfCb: number;
  readonly greenOfCr: number;
  readonly redOfCr: number;
};

const constants = (luma: number, bias: number, chroma: readonly [number, number, number, number]): Constants => {
  const [blueOfCb, greenOfCb, greenOfCr, redOfCr] = chroma;
  return { luma, bias, blueOfCb, greenOfCb, greenOfCr, redOfCr };
};

const FULL = [16_320, 32] as const;
const LIMITED = [18_997, -1160] as const;
const BT709 = 1;
const BT2020 = 9;

/** The factor of Cb in blue is at most 128 (libyuv without LIBYUV_UNLIMITED_DATA). row_common.cc: kYuvJPEG, kYuvF709, kYuvV2020; kYuvI601, kYuvH709, kYuv2020. Any other matrix is read as BT.601. */
function constantsOf({ matrix, isFullRange }: YCbCr): Constants {
  if (matrix === BT709)
    return isFullRange ? constants(...FULL, [119, 12, 30, 101]) : constants(...LIMITED, [128, 14, 34, 115]);
  if (matrix === BT2020)
    return isFullRange ? constants(...FULL, [120, 11, 37, 94]) : constants(19_003, -1160, [128, 12, 42, 107]);
  return isFullRange ? constants(...FULL, [113, 22, 46, 90]) : constants(...LIMITED, [128, 25, 52, 102]);
}

/**
 * Converts samples as libheif gives them without a conversion: Cr, Y, Cb for each pixel, each sample of a smaller chroma
 * plane repeated. Overwrites them with R, G, B.
 */
export function ycbcrToRgb(samples: Uint8Array, width: number, height: number, stored: YCbCr): Uint8Array {
  if (stored.isGray) return stored.isFullRange ? samples : limitedToFull(samples);
  if (stored.matrix === 0) return samples;
  const cb = chromaOf(samples, width, height, 2, stored);
  const cr = chromaOf(samples, width, height, 0, stored);
  const { luma, bias, blueOfCb, greenOfCb, greenOfCr, redOfCr } = constantsOf(stored);
  const rgb = new Uint8ClampedArray(samples.buffer, samples.byteOffset, samples.byteLength);
  for (let pixel = 0, at = 0; pixel < cb.length; pixel++, at += 3) {
    const y = ((((samples[at + 1] as number) * 0x0101 * luma) / 65_536) | 0) + bias;
    const u = (cb[pixel] as number) - 128;
    const v = (cr[pixel] as number) - 128;
    rgb[at] = (y + v * redOfCr) >> 6;
    rgb[at + 1] = (y - (u * greenOfCb + v * greenOfCr)) >> 6;
    rgb[at + 2] = (y + u * blueOfCb) >> 6;
  }
  return samples;
}

/** One chroma channel, interpolated to the picture's size where it is smaller. */
function chromaOf(
  samples: Uint8Array,
  width: number,
  height: number,
  channel: number,
  { isHalfWide, isHalfHigh }: YCbCr,
): Uint8Array {
  const stepX = isHalfWide ? 2 : 1;
  const stepY = isHalfHigh ? 2 : 1;
  const columns = Math.ceil(width / stepX);
  const rows = Math.ceil(height / stepY);
  const plane = new Uint8Array(columns * rows);
  for (let y = 0; y < rows; y++) {
    const row = 3 * y * stepY * width + channel;
    for (let x = 0; x < columns; x++) plane[y * columns + x] = samples[row + 3 * stepX * x] as number;
  }
  if (!isHalfWide) return plane;
  const target = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const into = target.subarray(y * width, (y + 1) * width);
    const [near, far] = isHalfHigh ? nearAndFar(y, height) : [y, y];
    const row = (index: number) => plane.subarray(index * columns, (index + 1) * columns);
    if (near === far) widen(row(near), into);
    else widenBetween(row(near), row(far), into);
  }
  return target;
}

/** The chroma rows above and below a row of pixels, nearest first. The first row, and an even last one, have one only. */
function nearAndFar(y: number, height: number): readonly [near: number, far: number] {
  const near = y >> 1;
  if (y === 0 || (y === height - 1 && height % 2 === 0)) return [near, near];
  return [near, y % 2 === 0 ? near - 1 : near + 1];
}

/** ScaleRowUp2_Linear: three parts of the nearer sample, one of the other. */
function widen(row: Uint8Array, into: Uint8Array): void {
  const last = into.length - 1;
  into[0] = row[0] as number;
  for (let x = 1; x < last; x++) {
    const near = row[x >> 1] as number;
    const far = row[(x >> 1) + (x & 1 ? 1 : -1)] as number;
    into[x] = (3 * near + far + 2) >> 2;
  }
  into[last] = row[last >> 1] as number;
}

/** ScaleRowUp2_Bilinear: 9, 3, 3 and 1 parts. */
function widenBetween(near: Uint8Array, far: Uint8Array, into: Uint8Array): void {
  const last = into.length - 1;
  for (const x of [0, last]) into[x] = (3 * (near[x >> 1] as number) + (far[x >> 1] as number) + 2) >> 2;
  for (let x = 1; x < last; x++) {
    const a = x >> 1;
    const b = a + (x & 1 ? 1 : -1);
    const sum = 9 * (near[a] as number) + 3 * (near[b] as number) + 3 * (far[a] as number) + (far[b] as number);
    into[x] = (sum + 8) >> 4;
  }
}

/** Gray from 16..235 to 0..255, rounded half up (libavif, `avifLimitedToFullY`). */
function limitedToFull(gray: Uint8Array): Uint8Array {
  for (let i = 0; i < gray.length; i++) {
    gray[i] = Math.min(255, Math.max(0, Math.trunc((((gray[i] as number) - 16) * 255 + 109) / 219)));
  }
  return gray;
}
