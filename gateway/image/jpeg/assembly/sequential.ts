/** Decoding of one block of a sequential scan (T.81 F.2.2). */
import { Bits } from './bits';
import { Component } from './frame';
import { LOOKAHEAD, STEPS_AT } from './huffman';
import { END_OF_BLOCK, resolve, SLOW } from './lookups';
import { OUTSIDE, PLACE } from './zigzag';

@inline
function look(table: usize, bits: u64): u64 {
  return load<u64>(table + (<usize>(bits >> (64 - LOOKAHEAD)) << 3), STEPS_AT);
}

/**
 * Decodes one block's coefficients to where zeros are, BLOCK_BYTES of them. Returns all places (zigzag.ts) of the AC
 * coefficients, OR-ed: 0 if there is DC alone; -1 if the data are damaged.
 */
export function decodeBlock(c: Component, block: usize): i32 {
  let buffer = Bits.buffer;
  let count = Bits.count;
  let next = Bits.next;

  // At least 56 bits are there after these three lines; a symbol and its value take 31 at most.
  buffer |= load<u64>(next) >> count;
  next -= (63 - count) >> 3;
  count |= 56;
  let entry = look(c.dc, buffer);
  if (<i32>entry & 0xff) {
    entry = resolve(c.dc, false, entry, buffer);
    if (<i32>entry & 0xff) return -1;
  }
  buffer <<= entry >> 16;
  count -= <i32>(entry >> 16) & 63;
  c.predictor += <i32>(<i64>entry >> 48);
  store<i16>(block, c.predictor);

  const ac = c.ac;
  let places = 0;
  let k = 0;
  while (true) {
    buffer |= load<u64>(next) >> count;
    next -= (63 - count) >> 3;
    count |= 56;
    entry = look(ac, buffer);
    const first = k + (<i32>entry & 0xff);
    k += (<i32>entry >> 8) & 0xff;
    if (k >= 63 && (first === 63 || (<i32>entry & 0xff) === SLOW)) {
      if (first === 63) {
        // what follows the block's last symbol is another block's
        entry = ((entry >> 8) & 0xff_0000) | ((entry << 16) & 0xffff_0000_0000_0000);
        k = first;
      } else {
        entry = resolve(ac, true, entry, buffer);
        k += (<i32>entry & 0xff) - SLOW;
      }
      const place = <i32>load<u8>(k, PLACE);
      places |= place;
      store<u16>(block + place, <u16>(entry >> 48));
    } else {
      const place1 = <i32>load<u8>(first, PLACE);
      const place2 = <i32>load<u8>(k, PLACE);
      places |= place1 | place2;
      store<u16>(block + place1, <u16>(entry >> 32));
      store<u16>(block + place2, <u16>(entry >> 48));
    }
    buffer <<= entry >> 16;
    count -= <i32>(entry >> 16) & 63;
    if (k >= 63) break;
  }
  Bits.buffer = buffer;
  Bits.count = count;
  Bits.next = next;
  if (k > 63 && (k < END_OF_BLOCK || k >= END_OF_BLOCK + 63)) return -1;
  return places & ~OUTSIDE;
}
