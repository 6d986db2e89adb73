/**
 * The inverse DCT (T.81 A.3.3) by libjpeg's "slow integer" arithmetic: 13-bit constants, columns first with 2 bits of
 * fraction kept between the passes, each pass rounded half up. The sums between two roundings are exact integers, so
 * only the constants and the roundings have to be libjpeg's, not the order of additions. Where libjpeg has a flow graph
 * with few multiplications, this has sums of products of pairs (dot_i16x8_s).
 *
 * The output's point x and its mirror 7 - x share the even coefficients' sum E[x] and the odd ones' O[x]:
 * out[x] = E + O, out[7 - x] = E - O.
 */
import * as columns from './idct-columns';
import * as rows from './idct-rows';
import { LOWER, RIGHT } from './zigzag';

export function initialise(): void {
  columns.initialise();
  rows.initialise();
}

/**
 * Writes the block's 8 x 8 samples, those of the rows that are asked for by a bit of `wanted`, and zeroes the block.
 * `places`: see placesOf in zigzag.ts.
 */
export function inverse(block: usize, quant: usize, places: i32, to: usize, stride: usize, wanted: i32): void {
  if (wanted === 0) return clear(block);
  if (places === 0) return flat(block, quant, to, stride);
  if (places & (RIGHT | LOWER)) {
    columns.transform(block, quant);
    if (places & RIGHT) rows.transform(to, stride, wanted);
    else rows.transformLeft(to, stride, wanted);
    clear(block);
  } else {
    columns.transformUpperLeft(block, quant);
    rows.transformLeft(to, stride, wanted);
    clearUpper(block);
  }
}

@inline
function clearUpper(block: usize): void {
  const zero = i64x2.splat(0);
  v128.store(block, zero, 0);
  v128.store(block, zero, 16);
  v128.store(block, zero, 32);
  v128.store(block, zero, 48);
}

@inline
function clear(block: usize): void {
  clearUpper(block);
  clearUpper(block + 64);
}

/** DC alone: every sample the same. */
function flat(block: usize, quant: usize, to: usize, stride: usize): void {
  const dc = <i32>load<i16>(block) * <i32>load<i16>(quant);
  columns.checkDc(dc);
  const sample = min(max(((dc + 4) >> 3) + 128, 0), 255);
  const eight = i8x16.splat(<i8>sample);
  store<i16>(block, 0);
  for (let i = 0; i < 4; i++) {
    v128.store_lane<u64>(to, eight, 0);
    v128.store_lane<u64>(to + stride, eight, 0);
    to += 2 * stride;
  }
}
