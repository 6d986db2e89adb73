/**
 * Decoding of one block of each kind of progressive scan (T.81 G.1.2, G.2), into coefficients that other scans wrote. They
 * are in zigzag order.
 */
import { Bits } from './bits';
import { Component } from './frame';
import { extend } from './huffman';
import { decode } from './lookups';
import { Scan } from './scan';
import { nonZero } from './zigzag';

/** EOBRUN: so many more blocks have nothing in this scan's band but corrections. */
export class EndOfBand {
  static run: i32 = 0;
}

@inline
function refill(): void {
  Bits.buffer |= load<u64>(Bits.next) >> Bits.count;
  Bits.next -= (63 - Bits.count) >> 3;
  Bits.count |= 56;
}

@inline
function consume(bits: i32): void {
  Bits.buffer <<= bits;
  Bits.count -= bits;
}

/** RECEIVE of F.2.2.4, for bits that are there. */
@inline
function receive(bits: i32): i32 {
  const value = <i32>(Bits.buffer >> 1 >> (63 - bits));
  consume(bits);
  return value;
}

/** The first scan of DC coefficients (G.1.2.1). False for damaged data, as of the next ones. */
export function firstDc(c: Component, block: usize): bool {
  refill();
  const entry = decode(c.dc, Bits.buffer);
  if (entry === 0) return false;
  consume(entry >> 8);
  const size = entry & 15;
  c.predictor += extend(receive(size), size);
  store<i16>(block, c.predictor << Scan.al);
  return true;
}

/** One more bit of a DC coefficient. */
export function nextDc(block: usize): void {
  refill();
  if (receive(1)) store<i16>(block, <i32>load<i16>(block) | (1 << Scan.al));
}

/** The first scan of a band of AC coefficients (G.1.2.2). */
export function firstAc(c: Component, block: usize): bool {
  if (EndOfBand.run > 0) {
    EndOfBand.run--;
    return true;
  }
  let buffer = Bits.buffer;
  let count = Bits.count;
  let next = Bits.next;
  for (let k = Scan.ss; k <= Scan.se; k++) {
    buffer |= load<u64>(next) >> count;
    next -= (63 - count) >> 3;
    count |= 56;
    const entry = decode(c.ac, buffer);
    if (entry === 0) return false;
    const length = entry >> 8;
    const run = (entry >> 4) & 15;
    const size = entry & 15;
    const isEnd = size === 0 && run < 15;
    const extra = isEnd ? run : size;
    const value = <i32>((buffer << length) >> 1 >> (63 - extra));
    buffer <<= length + extra;
    count -= length + extra;
    if (isEnd) {
      EndOfBand.run = (1 << run) - 1 + value;
      break;
    }
    k += run;
    if (size === 0) continue;
    if (k > Scan.se) return false;
    store<i16>(block + (k << 1), extend(value, size) << Scan.al);
  }
  Bits.buffer = buffer;
  Bits.count = count;
  Bits.next = next;
  return true;
}

/** One more bit of a band (G.1.2.3): corrections of the coefficients that are not 0, and new ones between them. */
export function nextAc(c: Component, block: usize): bool {
  const old = nonZero(block);
  const end = Scan.se + 1;
  let k = Scan.ss;
  if (EndOfBand.run === 0) {
    for (; k < end; k++) {
      refill();
      const entry = decode(c.ac, Bits.buffer);
      if (entry === 0) return false;
      consume(entry >> 8);
      const run = (entry >> 4) & 15;
      const size = entry & 15;
      if (size === 0 && run < 15) {
        EndOfBand.run = (1 << run) + receive(run);
        break;
      }
      if (size > 1) return false;
      const value = size === 0 ? 0 : receive(1) ? 1 << Scan.al : -1 << Scan.al;
      const next = min(behindZeros(old, k, run), end);
      correct(block, old & between(k, next));
      k = next;
      if (size === 0) continue;
      if (k === end) return false;
      store<i16>(block + (k << 1), value);
    }
  }
  if (EndOfBand.run > 0) {
    EndOfBand.run--;
    if (k < end) correct(block, old & between(k, end));
  }
  return true;
}

/** The first 0 from bit k on behind so many zeros; 64 if there is none. */
@inline
function behindZeros(bits: u64, k: i32, zeros: i32): i32 {
  let others = ~bits >> k;
  while (zeros-- > 0) others &= others - 1;
  return others ? <i32>ctz(others) + k : 64;
}

/** Ones from bit `from` to the one before `to`, which is at least 1. */
@inline
function between(from: i32, to: i32): u64 {
  return (<u64>-1 >> (64 - to)) & (<u64>-1 << from);
}

/** Reads a bit for each coefficient of a mask: 1 moves it away from 0. */
@inline
function correct(block: usize, mask: u64): void {
  if (mask) correctEach(block, mask);
}

function correctEach(block: usize, mask: u64): void {
  const bit: i16 = <i16>1 << <i16>Scan.al;
  while (mask) {
    refill();
    let buffer = Bits.buffer;
    const before = mask;
    for (let i = 0; i < 56 && mask; i++) {
      if (<i64>buffer < 0) {
        const at = block + (<usize>ctz(mask) << 1);
        const value = load<i16>(at);
        if ((value & bit) === 0) store<i16>(at, value >= 0 ? value + bit : value - bit);
      }
      buffer <<= 1;
      mask &= mask - 1;
    }
    consume(<i32>popcnt(before ^ mask));
  }
}
