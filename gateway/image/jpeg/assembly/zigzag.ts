/**
 * Where a block's coefficients are kept. Rows follow each other. The columns of a row stand as 0 2 1 3 4 6 5 7, so that
 * two columns which the inverse DCT multiplies together are one 32-bit lane, and columns 0 to 3 are half a vector.
 */
function zigzag(): usize {
  return memory.data<u8>([
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
    55, 62, 63,
  ]);
}

/** As far as bad data can lead in a block: behind position 62 by a step of 255 (sequential.ts). */
const PLACES: usize = 320;

/**
 * By the position in zigzag order (T.81 figure 5): twice the place, since places are addresses of 16-bit coefficients.
 * What would stand behind the last position goes to OUTSIDE, so that storing needs no check.
 */
export const PLACE: usize = memory.data(320);
export const OUTSIDE: i32 = 128;
/** What one block takes, with room for what is stored OUTSIDE. */
export const BLOCK_BYTES: usize = 144;

/** Bits of a place that are set only for columns 4 to 7, and only for rows 4 to 7. */
export const RIGHT: i32 = 4 << 1;
export const LOWER: i32 = 32 << 1;

export function initialise(): void {
  const order = zigzag();
  memory.fill(PLACE, <u8>OUTSIDE, PLACES);
  for (let k = 0; k < 64; k++) {
    const natural = load<u8>(order + k);
    const column = natural & 7;
    const swapped = (column & 3) === 1 ? column + 1 : (column & 3) === 2 ? column - 1 : column;
    store<u8>(PLACE + k, ((natural & 56) | swapped) << 1);
  }
}

/** One bit for each coefficient, in the order in which they are there: whether it is not 0. */
@inline
export function nonZero(block: usize): u64 {
  return nonZero16(block) | (nonZero16(block + 32) << 16) | (nonZero16(block + 64) << 32) | (nonZero16(block + 96) << 48);
}

@inline
function nonZero16(at: usize): u64 {
  const both = i8x16.narrow_i16x8_s(v128.load(at), v128.load(at, 16));
  return <u64>i8x16.bitmask(i8x16.ne(both, i8x16.splat(0)));
}

/** Puts coefficients in zigzag order to their places, where zeros are. Returns the places, OR-ed. */
export function toPlaces(block: usize, to: usize): i32 {
  let places = 0;
  for (let mask = nonZero(block); mask; mask &= mask - 1) {
    const k = <usize>ctz(mask);
    const place = <i32>load<u8>(PLACE + k);
    store<u16>(to + place, load<u16>(block + (k << 1)));
    places |= place;
  }
  return places;
}

/** The other way round, for all of them. */
export function fromPlaces(block: usize, to: usize): void {
  for (let k: usize = 0; k < 64; k++) store<u16>(to + (k << 1), load<u16>(block + load<u8>(PLACE + k)));
}
