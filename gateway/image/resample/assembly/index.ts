/**
 * The inner loops of Pillow's 8-bit resize, called by convolve.ts. passes.ts has the same in TypeScript.
 *
 * An output sample is (2^21 + sum of sample * weight) >> 22, clipped to a byte, with a sum of 32 bits. Multiplication of
 * 32-bit lanes is slow. dot_i16x8_s is fast: eight products of 16 bits, added in pairs. So each weight is split into two
 * halves, low (signed) + high * 2^16, and taps come in pairs: low 0, low 1, high 0, high 1, each an i16. A sample is a
 * byte, so no product overflows. The sums of both halves are combined modulo 2^32, which gives the sum of 32 bits.
 *
 * The caller owns all of the memory. Loads may reach 8 bytes behind a row, stores 7.
 */

/** Bytes of a pair of taps. */
const PAIR: usize = 8;

@inline
function half(): v128 {
  return i32x4(1 << 21, 1 << 21, 1 << 21, 1 << 21);
}

@inline
function zero(): v128 {
  return i32x4(0, 0, 0, 0);
}

@inline
function add(sums: v128, samples: v128, weights: v128): v128 {
  return i32x4.add(sums, i32x4.dot_i16x8_s(samples, weights));
}

@inline
function combine(low: v128, high: v128): v128 {
  return i32x4.shr_s(i32x4.add(low, i32x4.shl(high, 16)), 22);
}

/** Clips eight sums to bytes. The result holds them twice. */
@inline
function bytes(one: v128, other: v128): v128 {
  const both = i16x8.narrow_i32x4_s(one, other);
  return i8x16.narrow_i16x8_u(both, both);
}

/**
 * Computes one output row, 8 samples at a time, up to `end` and possibly behind it. Each sample sums one column of
 * 2 * pairs rows, which start at `rows` and are `stride` bytes apart.
 */
export function sumRows(rows: usize, stride: usize, weights: usize, pairs: usize, to: usize, end: usize): void {
  const last = weights + pairs * PAIR;
  do {
    let row = rows;
    let weight = weights;
    let lowA = half();
    let lowB = half();
    let highA = zero();
    let highB = zero();
    do {
      const one = v128.load_ext<u8>(row);
      row += stride;
      const other = v128.load_ext<u8>(row);
      row += stride;
      const low = v128.load_splat<i32>(weight);
      const high = v128.load_splat<i32>(weight, 4);
      // samples 0 to 3, each next to the one below it, then samples 4 to 7
      const a = v128.shuffle<i16>(one, other, 0, 8, 1, 9, 2, 10, 3, 11);
      lowA = add(lowA, a, low);
      highA = add(highA, a, high);
      const b = v128.shuffle<i16>(one, other, 4, 12, 5, 13, 6, 14, 7, 15);
      lowB = add(lowB, b, low);
      highB = add(highB, b, high);
      weight += PAIR;
    } while (weight < last);
    v128.store_lane<i64>(to, bytes(combine(lowA, highA), combine(lowB, highB)), 0);
    rows += 8;
    to += 8;
  } while (to < end);
}

/**
 * Computes one row of RGB pixels, up to `end`. For each pixel `taps` holds the offset of its run in `row`, then the
 * weights of 2 * pairs pixels.
 */
export function sumRgb(row: usize, taps: usize, pairs: usize, to: usize, end: usize): void {
  do {
    let from = row + load<u32>(taps);
    taps += 4;
    const last = taps + pairs * PAIR;
    let low = half();
    let high = zero();
    do {
      // red 0 and 1, green 0 and 1, blue 0 and 1
      const pixels = i8x16.swizzle(
        v128.load_zero<i64>(from),
        i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1),
      );
      low = add(low, pixels, v128.load_splat<i32>(taps));
      high = add(high, pixels, v128.load_splat<i32>(taps, 4));
      from += 6;
      taps += PAIR;
    } while (taps < last);
    const sums = combine(low, high);
    v128.store_lane<i32>(to, bytes(sums, sums), 0);
    to += 3;
  } while (to < end);
}

/** The same for gray pixels. `pairs` is even: each step multiplies two pairs of weights with four pixels. */
export function sumGray(row: usize, taps: usize, pairs: usize, to: usize, end: usize): void {
  do {
    let from = row + load<u32>(taps);
    taps += 4;
    const last = taps + pairs * PAIR;
    let sums = i32x4(1 << 21, 0, 0, 0); // low, high, low, high
    do {
      const pixels = i8x16.swizzle(
        v128.load_zero<i32>(from),
        i8x16(0, -1, 1, -1, 0, -1, 1, -1, 2, -1, 3, -1, 2, -1, 3, -1),
      );
      sums = add(sums, v128.load(taps), pixels);
      from += 4;
      taps += 2 * PAIR;
    } while (taps < last);
    sums = i32x4.add(sums, v128.shuffle<i64>(sums, sums, 1, 0));
    sums = combine(sums, v128.shuffle<i32>(sums, sums, 1, 0, 1, 0));
    v128.store_lane<i8>(to, bytes(sums, sums), 0);
    to++;
  } while (to < end);
}
