/**
 * YCbCr to RGB by libjpeg's 16-bit fixed point: R = Y + (1.402 Cr), G = Y + (-0.34414 Cb - 0.71414 Cr),
 * B = Y + (1.772 Cb), each bracket rounded half up, each sum clamped.
 *
 * 1.402 = 1 + 0.402 and 1.772 = 2 - 0.228 bring the factors below 1. 13173 / 2^15 and -7471 / 2^15 then give the same
 * as libjpeg's 26345 / 2^16 and -14942 / 2^16 for each of the 256 values. Green needs both products before rounding:
 * -46802 / 2^16 (Cr) = 18734 / 2^16 - 1.
 */
import { pairs, splat16 } from './vectors';

const CR_R: i16 = 13173;
const CB_B: i16 = -7471;
const CB_G: i16 = -22554;
const CR_G: i16 = 18734;

/** The constants as vectors in memory (vectors.ts). */
const VECTORS: usize = memory.data(80, 16);
const RED_FACTOR: usize = VECTORS;
const BLUE_FACTOR: usize = VECTORS + 16;
const GREEN_FACTORS: usize = VECTORS + 32;
const HALF: usize = VECTORS + 48;
const MIDDLE: usize = VECTORS + 64;

/** Shuffles that lay 16 reds, greens and blues into 48 bytes: three for each third. */
const INTERLEAVE: usize = memory.data(9 * 16, 16);

/** What a loop over a row may write behind its last pixel: 15 of three bytes. */
export const OVERSHOOT: usize = 48;

export function initialise(): void {
  splat16(RED_FACTOR, CR_R);
  splat16(BLUE_FACTOR, CB_B);
  splat16(MIDDLE, 128);
  pairs(GREEN_FACTORS, CB_G, CR_G);
  v128.store(HALF, i32x4.splat(1 << 15));
  for (let i = 0; i < 48; i++) {
    for (let channel = 0; channel < 3; channel++) {
      const at = INTERLEAVE + ((i / 16) * 3 + channel) * 16 + (i % 16);
      store<u8>(at, i % 3 === channel ? i / 3 : 0x80);
    }
  }
}

@inline
function green(cb: v128, cr: v128): v128 {
  const factors = v128.load(GREEN_FACTORS);
  const half = v128.load(HALF);
  const left = i32x4.dot_i16x8_s(v128.shuffle<i16>(cb, cr, 0, 8, 1, 9, 2, 10, 3, 11), factors);
  const right = i32x4.dot_i16x8_s(v128.shuffle<i16>(cb, cr, 4, 12, 5, 13, 6, 14, 7, 15), factors);
  const both = i16x8.narrow_i32x4_s(
    i32x4.shr_s(i32x4.add(left, half), 16),
    i32x4.shr_s(i32x4.add(right, half), 16),
  );
  return i16x8.sub(both, cr);
}

/** Relaxed: engines may differ where both factors are -32768, which they never are. */
@inline
function rounded(a: v128, factor: usize): v128 {
  return i16x8.relaxed_q15mulr_s(a, v128.load(factor));
}

@inline
function third(i: i32, r: v128, g: v128, b: v128): v128 {
  const at = INTERLEAVE + 48 * i;
  return v128.or(
    v128.or(i8x16.relaxed_swizzle(r, v128.load(at)), i8x16.relaxed_swizzle(g, v128.load(at, 16))),
    i8x16.relaxed_swizzle(b, v128.load(at, 32)),
  );
}

@inline
function interleave(r: v128, g: v128, b: v128, to: usize): void {
  v128.store(to, third(0, r, g, b), 0);
  v128.store(to, third(1, r, g, b), 16);
  v128.store(to, third(2, r, g, b), 32);
}

/** Converts 16 pixels to 48 bytes. Chroma is centred at 0 and comes in halves, 16 bits each. */
@inline
export function sixteenCentred(luma: v128, cbl: v128, cbh: v128, crl: v128, crh: v128, to: usize): void {
  const yl = i16x8.extend_low_i8x16_u(luma);
  const yh = i16x8.extend_high_i8x16_u(luma);
  const r = i8x16.narrow_i16x8_u(
    i16x8.add(i16x8.add(yl, crl), rounded(crl, RED_FACTOR)),
    i16x8.add(i16x8.add(yh, crh), rounded(crh, RED_FACTOR)),
  );
  const g = i8x16.narrow_i16x8_u(i16x8.add(yl, green(cbl, crl)), i16x8.add(yh, green(cbh, crh)));
  const b = i8x16.narrow_i16x8_u(
    i16x8.add(i16x8.add(yl, i16x8.add(cbl, cbl)), rounded(cbl, BLUE_FACTOR)),
    i16x8.add(i16x8.add(yh, i16x8.add(cbh, cbh)), rounded(cbh, BLUE_FACTOR)),
  );
  interleave(r, g, b, to);
}

/** Converts 16 pixels to 48 bytes. */
@inline
export function sixteen(luma: v128, blue: v128, red: v128, to: usize): void {
  const middle = v128.load(MIDDLE);
  sixteenCentred(
    luma,
    i16x8.sub(i16x8.extend_low_i8x16_u(blue), middle),
    i16x8.sub(i16x8.extend_high_i8x16_u(blue), middle),
    i16x8.sub(i16x8.extend_low_i8x16_u(red), middle),
    i16x8.sub(i16x8.extend_high_i8x16_u(red), middle),
    to,
  );
}

/** Converts 16 gray pixels to 48 bytes. */
@inline
export function sixteenGray(luma: v128, to: usize): void {
  interleave(luma, luma, luma, to);
}

/** RGB to gray by Pillow's convert('L') (Convert.c, L24), in place: a pixel's byte replaces its three. */
export function toGray(row: usize, pixels: i32): void {
  let from = row;
  for (const end = row + pixels; row < end; row++, from += 3) {
    const sum = 19595 * <u32>load<u8>(from) + 38470 * <u32>load<u8>(from, 1) + 7471 * <u32>load<u8>(from, 2);
    store<u8>(row, (sum + 0x8000) >> 16);
  }
}
