/**
 * Look-ups of the next LOOKAHEAD bits in a Huffman table.
 *
 * For sequential scans: codes are short and most coefficients small, so the bits often hold two whole symbols with their
 * values (T.81 F.1.2.1.1, F.1.2.2.1). An entry has both, as eight bytes:
 *
 *   byte 0      how many coefficients further the first stands: run + 1; END_OF_BLOCK; SLOW if no symbol is whole
 *   byte 1      how many further the second stands, or the first again if there is no second
 *   byte 2, 3   bits to consume for both, and for the first alone
 *   byte 4, 6   the first's value; the second's, or the first's again (16 bits each)
 *
 * A SLOW entry has the length of its code in byte 4, or 0 if the code is longer than the look-ahead. A table of DC
 * differences has one symbol an entry, and no steps.
 *
 * For progressive scans: an entry has a symbol and the length of its code in the upper byte; 0 if the code is longer.
 */
import { BUILT_AT, CODES_AT, codesOf, ENTRIES, extend, find, HUFFVAL_AT, LOOKAHEAD, STEPS_AT } from './huffman';

export const END_OF_BLOCK: i32 = 128;
export const SLOW: i32 = 255;

const BUILT_STEPS: i32 = 1;
const BUILT_CODES: i32 = 2;

export function buildSteps(table: usize, isAc: bool): void {
  if (load<i32>(table, BUILT_AT) & BUILT_STEPS) return;
  for (let i = 0; i < ENTRIES; i++) store<u64>(table + (i << 3), pending(0), STEPS_AT);
  let at = 0;
  let index = 0;
  for (let length = 1; length <= LOOKAHEAD; length++) {
    const spare = LOOKAHEAD - length;
    for (let n = codesOf(table, length); n > 0; n--) {
      fill(table + (at << 3), isAc, length, load<u8>(table + index, HUFFVAL_AT));
      at += 1 << spare;
      index++;
    }
  }
  if (isAc) for (let i = ENTRIES - 1; i >= 0; i--) addSecond(table, i);
  store<i32>(table, load<i32>(table, BUILT_AT) | BUILT_STEPS, BUILT_AT);
}

/** Writes all entries whose bits begin with one code. */
function fill(entries: usize, isAc: bool, length: i32, symbol: i32): void {
  const spare = LOOKAHEAD - length;
  const size = symbol & 15;
  const step = isAc ? stepOf(symbol) : 0;
  for (let rest = 0; rest < 1 << spare; rest++) {
    const at = entries + (rest << 3);
    if (size > spare) store<u64>(at, pending(length));
    else store<u64>(at, single(step, length + size, extend(rest >> (spare - size), size)));
  }
}

@inline
function pending(codeLength: i32): u64 {
  return (<u64>codeLength << 32) | (SLOW << 8) | SLOW;
}

@inline
function single(step: i32, length: i32, value: i32): u64 {
  const half = <u64>(value & 0xffff);
  return (half << 48) | (half << 32) | (length << 24) | (length << 16) | (step << 8) | step;
}

/**
 * Adds the symbol that follows the entry's own. It is looked up with zeros for the bits behind the look-ahead, and is
 * whole if it takes none of them. The entry found may be a pair already: only its first symbol counts.
 */
function addSecond(table: usize, i: i32): void {
  const at = table + (i << 3);
  const entry = load<u64>(at, STEPS_AT);
  const step = <i32>entry & 0xff;
  const length = <i32>(entry >> 24) & 0xff;
  if (step > 16) return;
  const second = load<u64>(table + (((i << length) & (ENTRIES - 1)) << 3), STEPS_AT);
  const secondStep = <i32>second & 0xff;
  const both = length + (<i32>(second >> 24) & 0xff);
  if (secondStep === SLOW || both > LOOKAHEAD) return;
  store<u8>(at, step + secondStep, STEPS_AT + 1);
  store<u8>(at, both, STEPS_AT + 2);
  store<u16>(at, <u16>(second >> 32), STEPS_AT + 6);
}

/** Table F.2: the low half of an AC symbol is the size of a coefficient, the high half the run of zeros before it. */
@inline
function stepOf(symbol: i32): i32 {
  return symbol & 15 || symbol === 0xf0 ? (symbol >> 4) + 1 : END_OF_BLOCK;
}

/** What a SLOW entry stands for, as an entry with one symbol; SLOW again if `bits` begin with no code. */
@inline
export function resolve(table: usize, isAc: bool, entry: u64, bits: u64): u64 {
  const codeLength = <i32>(entry >> 32);
  const found = find(table, <i32>(bits >> 48), codeLength ? codeLength : LOOKAHEAD + 1);
  if (found < 0) return SLOW;
  const length = found >> 16;
  const symbol = <i32>load<u8>(table + (found & 0xffff), HUFFVAL_AT);
  const size = symbol & 15;
  const value = extend(<i32>((bits << length) >> 1 >> (63 - size)), size);
  return single(isAc ? stepOf(symbol) : 0, length + size, value);
}

export function buildCodes(table: usize): void {
  if (load<i32>(table, BUILT_AT) & BUILT_CODES) return;
  memory.fill(table + CODES_AT, 0, ENTRIES * 2);
  let at = table;
  let index = 0;
  for (let length = 1; length <= LOOKAHEAD; length++) {
    for (let n = codesOf(table, length); n > 0; n--) {
      const entry = (length << 8) | <i32>load<u8>(table + index, HUFFVAL_AT);
      for (let rest = 0; rest < 1 << (LOOKAHEAD - length); rest++) {
        store<u16>(at, entry, CODES_AT);
        at += 2;
      }
      index++;
    }
  }
  store<i32>(table, load<i32>(table, BUILT_AT) | BUILT_CODES, BUILT_AT);
}

/** DECODE of F.2.2.3: the symbol that `bits` begin with, and the length of its code in the upper byte; 0 for none. */
@inline
export function decode(table: usize, bits: u64): i32 {
  const entry = <i32>load<u16>(table + (<usize>(bits >> (64 - LOOKAHEAD)) << 1), CODES_AT);
  return entry ? entry : decodeLong(table, bits);
}

function decodeLong(table: usize, bits: u64): i32 {
  const found = find(table, <i32>(bits >> 48), LOOKAHEAD + 1);
  return found < 0 ? 0 : ((found >> 16) << 8) | <i32>load<u8>(table + (found & 0xffff), HUFFVAL_AT);
}
