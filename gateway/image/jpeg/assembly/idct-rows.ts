/** The inverse DCT's second pass: the rows, two at a time, to samples. */
import { A, A5, B, B7, C, C3, C5, D, D7, E2, E6, E6N, ONE, WORKSPACE } from './idct-constants';

/** Constants lane by lane for the points 0 to 3, as vectors in memory (vectors.ts). */
const FACTORS: usize = memory.data(5 * 16, 16);
const EVEN02: usize = FACTORS;
const EVEN46: usize = FACTORS + 16;
const ODD13: usize = FACTORS + 32;
const ODD57: usize = FACTORS + 48;
const ROUND: usize = FACTORS + 64;

/** Undoes the order 0 1 2 3 7 6 5 4 in which E + O and E - O come. */
const UNMIRROR: usize = memory.data<u8>([0, 1, 2, 3, 7, 6, 5, 4, 8, 9, 10, 11, 15, 14, 13, 12], 16);

export function initialise(): void {
  v128.store(EVEN02, i16x8(ONE, E2, ONE, E6, ONE, -E6, ONE, -E2));
  v128.store(EVEN46, i16x8(ONE, E6, -ONE, E6N, -ONE, -E6N, ONE, -E6));
  v128.store(ODD13, i16x8(A, B, B, C3, C, A5, D, B7));
  v128.store(ODD57, i16x8(C, D, A5, B7, C5, B, B, D7));
  // Half of what the shift drops, and 128: samples are lifted to 0 and above (A.3.1).
  v128.store(ROUND, i32x4.splat((1 << 17) + (128 << 18)));
}

/** 18 = 13 bits of the constants, 2 of the workspace, 3 of the transform's scale. */
@inline
function samples(even: v128, odd: v128): v128 {
  const lifted = i32x4.add(even, v128.load(ROUND));
  const left = i32x4.shr_s(i32x4.add(lifted, odd), 18);
  const right = i32x4.shr_s(i32x4.sub(lifted, odd), 18);
  return i16x8.narrow_i32x4_s(left, right);
}

@inline
function splatDot(at: usize, factors: v128): v128 {
  return i32x4.dot_i16x8_s(v128.load_splat<u32>(at), factors);
}

@inline
function storeTwo(upper: v128, lower: v128, to: usize, stride: usize): void {
  const two = i8x16.relaxed_swizzle(i8x16.narrow_i16x8_u(upper, lower), v128.load(UNMIRROR));
  v128.store_lane<u64>(to, two, 0);
  v128.store_lane<u64>(to + stride, two, 1);
}

/** Writes the rows whose bits are set in `wanted`, or whose neighbour's are. */
export function transform(to: usize, stride: usize, wanted: i32): void {
  const even02 = v128.load(EVEN02);
  const even46 = v128.load(EVEN46);
  const odd13 = v128.load(ODD13);
  const odd57 = v128.load(ODD57);
  for (let at = WORKSPACE; at < WORKSPACE + 128; at += 32) {
    if (wanted & 3) {
      const upper = samples(
        i32x4.add(splatDot(at, even02), splatDot(at + 8, even46)),
        i32x4.add(splatDot(at + 4, odd13), splatDot(at + 12, odd57)),
      );
      const lower = samples(
        i32x4.add(splatDot(at + 16, even02), splatDot(at + 24, even46)),
        i32x4.add(splatDot(at + 20, odd13), splatDot(at + 28, odd57)),
      );
      storeTwo(upper, lower, to, stride);
    }
    wanted >>= 2;
    to += 2 * stride;
  }
}

/** The same where the columns 4 to 7 are zero. */
export function transformLeft(to: usize, stride: usize, wanted: i32): void {
  const even02 = v128.load(EVEN02);
  const odd13 = v128.load(ODD13);
  for (let at = WORKSPACE; at < WORKSPACE + 128; at += 32) {
    if (wanted & 3) {
      const upper = samples(splatDot(at, even02), splatDot(at + 4, odd13));
      const lower = samples(splatDot(at + 16, even02), splatDot(at + 20, odd13));
      storeTwo(upper, lower, to, stride);
    }
    wanted >>= 2;
    to += 2 * stride;
  }
}
