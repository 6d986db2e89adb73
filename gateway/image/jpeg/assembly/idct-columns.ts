/** The inverse DCT's first pass: dequantization and the eight columns at once. */
import { A, A5, B, B7, C, C3, C5, D, D7, E2, E6, E6N, ONE, WORKSPACE } from './idct-constants';
import { pairs } from './vectors';

/** Pairs of constants, as vectors in memory (vectors.ts). */
const PAIRS: usize = memory.data(18 * 16, 16);
const K_ONE_ONE: usize = PAIRS;
const K_ONE_NONE: usize = PAIRS + 16;
const K_E2_E6: usize = PAIRS + 32;
const K_E6_E6N: usize = PAIRS + 48;
const K_A_B: usize = PAIRS + 64;
const K_C_D: usize = PAIRS + 80;
const K_D_B7: usize = PAIRS + 96;
const K_B_D7: usize = PAIRS + 112;
const K_B_C3: usize = PAIRS + 128;
const K_A5_B7: usize = PAIRS + 144;
const K_C_A5: usize = PAIRS + 160;
const K_C5_B: usize = PAIRS + 176;
const K_ONE_E2: usize = PAIRS + 192;
const K_ONE_E6: usize = PAIRS + 208;
const K_ONE_NE6: usize = PAIRS + 224;
const K_ONE_NE2: usize = PAIRS + 240;
const ROUND: usize = PAIRS + 256;
const LIMITS: usize = PAIRS + 272;

/**
 * What the coefficients of one column may add up to. No 8 x 8 samples give more than 1024 * sqrt(8) = 2896 and a little
 * for quantization. Up to this, no 16-bit sum in any implementation of libjpeg's arithmetic overflows. Beyond it, in
 * damaged files, libjpeg's C code and its SIMD code differ.
 */
const LIMIT: i32 = 2940;

export class Columns {
  /** Whether a block went beyond the limit. */
  static isBeyond: i32 = 0;
}

export function initialise(): void {
  pairs(K_ONE_ONE, ONE, ONE);
  pairs(K_ONE_NONE, ONE, -ONE);
  pairs(K_E2_E6, E2, E6);
  pairs(K_E6_E6N, E6, E6N);
  pairs(K_A_B, A, B);
  pairs(K_C_D, C, D);
  pairs(K_D_B7, D, B7);
  pairs(K_B_D7, B, D7);
  pairs(K_B_C3, B, C3);
  pairs(K_A5_B7, A5, B7);
  pairs(K_C_A5, C, A5);
  pairs(K_C5_B, C5, B);
  pairs(K_ONE_E2, ONE, E2);
  pairs(K_ONE_E6, ONE, E6);
  pairs(K_ONE_NE6, ONE, -E6);
  pairs(K_ONE_NE2, ONE, -E2);
  v128.store(ROUND, i32x4.splat(1 << 10));
  v128.store(LIMITS, i16x8.splat(<i16>LIMIT));
}

/** Checks a block that has DC alone. */
@inline
export function checkDc(dc: i32): void {
  Columns.isBeyond |= i32(<u32>(dc + LIMIT) > <u32>(2 * LIMIT));
}

@inline
function check(sums: v128): void {
  Columns.isBeyond |= i32(v128.any_true(i16x8.sub_sat_u(sums, v128.load(LIMITS))));
}

@inline
function addMagnitude(sums: v128, row: v128): v128 {
  return i16x8.add_sat_u(sums, i16x8.abs(row));
}

@inline
function dot(pairs: v128, factors: usize): v128 {
  return i32x4.dot_i16x8_s(pairs, v128.load(factors));
}

@inline
function low(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

@inline
function high(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

@inline
function coefficients(block: usize, quant: usize, row: usize): v128 {
  return i16x8.mul(v128.load(block + 16 * row), v128.load(quant + 16 * row));
}

/** Two rows of the workspace, `row` and its mirror. 11 = 13 bits of the constants less the 2 that are kept. */
@inline
function storeBoth(row: usize, evenL: v128, evenH: v128, oddL: v128, oddH: v128): void {
  storeRow(row, i32x4.add(evenL, oddL), i32x4.add(evenH, oddH));
  storeRow(7 - row, i32x4.sub(evenL, oddL), i32x4.sub(evenH, oddH));
}

@inline
function storeRow(row: usize, lo: v128, hi: v128): void {
  v128.store(WORKSPACE + 16 * row, i16x8.narrow_i32x4_s(i32x4.shr_s(lo, 11), i32x4.shr_s(hi, 11)));
}

export function transform(block: usize, quant: usize): void {
  const c0 = coefficients(block, quant, 0);
  const c4 = coefficients(block, quant, 4);
  const c2 = coefficients(block, quant, 2);
  const c6 = coefficients(block, quant, 6);
  const c1 = coefficients(block, quant, 1);
  const c3 = coefficients(block, quant, 3);
  const c5 = coefficients(block, quant, 5);
  const c7 = coefficients(block, quant, 7);
  const round = v128.load(ROUND);
  const upper = addMagnitude(addMagnitude(addMagnitude(i16x8.abs(c0), c1), c2), c3);
  const lower = addMagnitude(addMagnitude(addMagnitude(i16x8.abs(c4), c5), c6), c7);
  check(i16x8.add_sat_u(upper, lower));

  const c04l = low(c0, c4);
  const c04h = high(c0, c4);
  const c26l = low(c2, c6);
  const c26h = high(c2, c6);
  const c13l = low(c1, c3);
  const c13h = high(c1, c3);
  const c57l = low(c5, c7);
  const c57h = high(c5, c7);

  const sumL = i32x4.add(dot(c04l, K_ONE_ONE), round);
  const sumH = i32x4.add(dot(c04h, K_ONE_ONE), round);
  let turnL = dot(c26l, K_E2_E6);
  let turnH = dot(c26h, K_E2_E6);
  let oddL = i32x4.add(dot(c13l, K_A_B), dot(c57l, K_C_D));
  let oddH = i32x4.add(dot(c13h, K_A_B), dot(c57h, K_C_D));
  storeBoth(0, i32x4.add(sumL, turnL), i32x4.add(sumH, turnH), oddL, oddH);
  oddL = i32x4.add(dot(c13l, K_D_B7), dot(c57l, K_B_D7));
  oddH = i32x4.add(dot(c13h, K_D_B7), dot(c57h, K_B_D7));
  storeBoth(3, i32x4.sub(sumL, turnL), i32x4.sub(sumH, turnH), oddL, oddH);

  const differenceL = i32x4.add(dot(c04l, K_ONE_NONE), round);
  const differenceH = i32x4.add(dot(c04h, K_ONE_NONE), round);
  turnL = dot(c26l, K_E6_E6N);
  turnH = dot(c26h, K_E6_E6N);
  oddL = i32x4.add(dot(c13l, K_B_C3), dot(c57l, K_A5_B7));
  oddH = i32x4.add(dot(c13h, K_B_C3), dot(c57h, K_A5_B7));
  storeBoth(1, i32x4.add(differenceL, turnL), i32x4.add(differenceH, turnH), oddL, oddH);
  oddL = i32x4.add(dot(c13l, K_C_A5), dot(c57l, K_C5_B));
  oddH = i32x4.add(dot(c13h, K_C_A5), dot(c57h, K_C5_B));
  storeBoth(2, i32x4.sub(differenceL, turnL), i32x4.sub(differenceH, turnH), oddL, oddH);
}

/** The columns 0 to 3 of a block whose coefficients are all among its first 4 x 4. */
export function transformUpperLeft(block: usize, quant: usize): void {
  const c0 = coefficients(block, quant, 0);
  const c1 = coefficients(block, quant, 1);
  const c2 = coefficients(block, quant, 2);
  const c3 = coefficients(block, quant, 3);
  check(addMagnitude(addMagnitude(addMagnitude(i16x8.abs(c0), c1), c2), c3));
  const c02 = low(c0, c2);
  const c13 = low(c1, c3);
  const round = v128.load(ROUND);
  storeHalves(0, i32x4.add(dot(c02, K_ONE_E2), round), dot(c13, K_A_B));
  storeHalves(1, i32x4.add(dot(c02, K_ONE_E6), round), dot(c13, K_B_C3));
  storeHalves(2, i32x4.add(dot(c02, K_ONE_NE6), round), dot(c13, K_C_A5));
  storeHalves(3, i32x4.add(dot(c02, K_ONE_NE2), round), dot(c13, K_D_B7));
}

/** The same as storeBoth where the right half of a row is not read. */
@inline
function storeHalves(row: usize, even: v128, odd: v128): void {
  storeRow(row, i32x4.add(even, odd), even);
  storeRow(7 - row, i32x4.sub(even, odd), even);
}
