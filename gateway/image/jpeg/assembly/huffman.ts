/** Huffman tables (T.81 B.2.4.2, annex C). A table is built for the kind of scan that uses it: lookups.ts. */
import { DAMAGED, OK } from './status';

/** The parts of a table: the look-ups of lookups.ts, then HUFFVAL. */
export const LOOKAHEAD: i32 = 10;
export const ENTRIES: i32 = 1 << LOOKAHEAD;
/** By the next LOOKAHEAD bits, eight bytes each: for sequential scans. */
export const STEPS_AT: usize = 0;
/** By the same bits, two bytes each: for progressive scans. */
export const CODES_AT: usize = STEPS_AT + ENTRIES * 8;
export const HUFFVAL_AT: usize = CODES_AT + ENTRIES * 2;
/** By code length: one more than its largest code, left-aligned to 16 bits (MAXCODE of F.2.2.3). */
export const LIMIT_AT: usize = HUFFVAL_AT + 256;
/** By code length: index in HUFFVAL less the code (VALPTR less MINCODE). */
export const DELTA_AT: usize = LIMIT_AT + 18 * 4;
/** BITS and HUFFVAL as the segment has them. Many pictures in a row have the same: they are not built again. */
const SOURCE_AT: usize = DELTA_AT + 18 * 4;
/** Bytes of the source; 0 while the picture has not defined the table. */
const SOURCE_BYTES_AT: usize = SOURCE_AT + 272;
/** Which look-ups are built of the source: BUILT_STEPS, BUILT_CODES. */
export const BUILT_AT: usize = SOURCE_BYTES_AT + 4;
const SIZE: usize = BUILT_AT + 4;

const TABLES: usize = memory.data(8 * <i32>SIZE, 64);

/** Tables 0 to 3 for DC, tables 0 to 3 for AC. */
@inline
export function table(isAc: i32, id: i32): usize {
  return TABLES + <usize>(isAc * 4 + id) * SIZE;
}

export function isDefined(table: usize): bool {
  return load<i32>(table, SOURCE_BYTES_AT) !== 0;
}

/** Begins a picture. */
export function forget(): void {
  for (let i = 0; i < 8; i++) store<i32>(TABLES + <usize>i * SIZE, 0, SOURCE_BYTES_AT);
}

/** Reads a DHT segment. */
export function read(at: usize, length: i32): i32 {
  while (length > 0) {
    const tc = <i32>(load<u8>(at) >> 4);
    const th = <i32>(load<u8>(at) & 15);
    if (tc > 1 || th > 3) return DAMAGED;
    const bytes = define(table(tc, th), tc === 1, at + 1, length - 1);
    if (bytes < 0) return DAMAGED;
    at += 1 + bytes;
    length -= 1 + bytes;
  }
  return OK;
}

/** Takes BITS and HUFFVAL. Returns their bytes, or -1. */
function define(table: usize, isAc: bool, at: usize, left: i32): i32 {
  if (left < 16) return -1;
  let count = 0;
  for (let i = 0; i < 16; i++) count += load<u8>(at + i);
  const bytes = 16 + count;
  if (count === 0 || count > 256 || bytes > left) return -1;
  if (memory.compare(table + SOURCE_AT, at, bytes) !== 0) {
    store<u8>(table, 255, SOURCE_AT); // no source begins so: what is half done is never taken for done
    store<i32>(table, 0, BUILT_AT);
    if (!orderCodes(table, isAc, at, count)) return -1;
    memory.copy(table + SOURCE_AT, at, bytes);
  }
  store<i32>(table, bytes, SOURCE_BYTES_AT);
  return bytes;
}

/** Figure C.2. False if there are more codes of a length than fit, or a DC difference of more than 15 bits. */
function orderCodes(table: usize, isAc: bool, spec: usize, count: i32): bool {
  memory.copy(table + HUFFVAL_AT, spec + 16, count);
  if (!isAc) for (let i = 0; i < count; i++) if (load<u8>(table + i, HUFFVAL_AT) > 15) return false;
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    store<i32>(table + (length << 2), index - code, DELTA_AT);
    const codes = <i32>load<u8>(spec + length - 1);
    index += codes;
    code += codes;
    if (code > 1 << length) return false;
    store<i32>(table + (length << 2), code << (16 - length), LIMIT_AT);
    code <<= 1;
  }
  return true;
}

/** Number of codes of a length, from BITS. */
@inline
export function codesOf(table: usize, length: i32): i32 {
  return load<u8>(table + length - 1, SOURCE_AT);
}

/**
 * The index in HUFFVAL of the code that `front`, 16 bits, begins with, and its length in the upper half; -1 for none.
 * The code is known to have at least `least` bits.
 */
@inline
export function find(table: usize, front: i32, least: i32): i32 {
  let length = least;
  while (front >= load<i32>(table + (length << 2), LIMIT_AT)) if (++length > 16) return -1;
  return (length << 16) | ((front >> (16 - length)) + load<i32>(table + (length << 2), DELTA_AT));
}

/** EXTEND of F.2.2.1. */
@inline
export function extend(value: i32, size: i32): i32 {
  return size > 0 && value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
}
