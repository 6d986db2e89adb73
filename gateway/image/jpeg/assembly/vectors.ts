/**
 * Vectors that loops need, kept in memory: V8 builds a v128.const anew at each use, by three instructions of which two
 * wait for the shuffle port. A load is one.
 */
@inline
export function splat16(at: usize, value: i16): void {
  v128.store(at, i16x8.splat(value));
}

/** For dot_i16x8_s: each pair of 16-bit lanes is multiplied by a and b, and added. */
export function pairs(at: usize, a: i16, b: i16): void {
  v128.store(at, i32x4.splat((<i32>b << 16) | (<i32>a & 0xffff)));
}
