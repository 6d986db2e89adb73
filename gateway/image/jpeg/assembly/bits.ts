/**
 * The bits of one restart interval. They are copied out of the file first, without the zero bytes stuffed after 0xFF
 * (T.81 F.1.2.3), so that reading has no case for them; and back to front, so that a little-endian load of eight bytes
 * has the earliest on top.
 *
 * To refill: `buffer |= load<u64>(next) >> count; next -= (63 - count) >> 3; count |= 56`. Then 56 bits are there.
 */
export class Bits {
  /** The next bits, from the top bit on; `count` of them are sure to be there. */
  static buffer: u64 = 0;
  static count: i32 = 0;
  /** Where the next eight bytes are loaded: lower for later ones. */
  static next: usize = 0;
  /** Below this the interval's bytes end. */
  static last: usize = 0;
  /** The highest address of the copy, exclusive. */
  static top: usize = 0;
}

/** More than the bytes that bad data can read behind their end before `isOverrun` is asked: one MCU of ten blocks. */
const OVERRUN: usize = 4096;
/** Of these, so many are zeros: more than a symbol with its value takes. */
const ZEROS: usize = 16;
/** Chunks of 16 bytes are stored below the copy's end. */
const SLACK: usize = 64;

const REVERSED: usize = memory.data<u8>([15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0], 16);

/** What the copy of so many bytes needs. */
export function copyBytes(bytes: usize): u64 {
  return OVERRUN + <u64>bytes + SLACK;
}

export function placeCopy(at: usize, bytes: usize): void {
  Bits.top = at + OVERRUN + bytes + SLACK;
}

/** Copies the bytes from `at` to the next marker, and begins to read them. Returns where the marker is. */
export function open(at: usize, end: usize): usize {
  let to = Bits.top;
  const reversed = v128.load(REVERSED);
  const ones = i8x16.splat(-1);
  while (at < end) {
    if (end - at >= 16) {
      const chunk = v128.load(at);
      if (!v128.any_true(i8x16.eq(chunk, ones))) {
        to -= 16;
        v128.store(to, i8x16.relaxed_swizzle(chunk, reversed));
        at += 16;
        continue;
      }
    }
    // byte by byte past the next 0xFF
    const stop = min(end, at + 16);
    while (at < stop) {
      const byte = load<u8>(at);
      if (byte === 0xff) {
        if (at + 1 >= end || load<u8>(at, 1) !== 0) return begin(to, at);
        at++;
      }
      store<u8>(--to, byte);
      at++;
    }
  }
  return begin(to, min(at, end));
}

/** Zeros follow the bits: they begin with a code of any table, so that reading on shows that bits are missing. */
function begin(last: usize, stopped: usize): usize {
  memory.fill(last - ZEROS, 0, ZEROS);
  Bits.last = last;
  Bits.next = Bits.top - 8;
  Bits.buffer = 0;
  Bits.count = 0;
  return stopped;
}

/** Whether more bits were read than there are. */
@inline
export function isOverrun(): bool {
  return (<i32>(Bits.next + 8 - Bits.last) << 3) + Bits.count < 0;
}
