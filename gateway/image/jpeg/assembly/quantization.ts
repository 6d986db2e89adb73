/** Quantization tables (T.81 B.2.4.1). */
import { Component } from './frame';
import { DAMAGED, OK } from './status';
import { PLACE } from './zigzag';

/** Four tables of 64 16-bit elements, placed as coefficients are (zigzag.ts). */
const TABLES: usize = memory.data(4 * 128, 16);

class Defined {
  /** One bit for each table. */
  static tables: i32 = 0;
}

export function forget(): void {
  Defined.tables = 0;
}

/** Reads a DQT segment. */
export function read(at: usize, length: i32): i32 {
  while (length > 0) {
    const pq = load<u8>(at) >> 4;
    const tq = <i32>(load<u8>(at) & 15);
    const bytes = pq ? 129 : 65;
    if (pq > 1 || tq > 3 || length < bytes) return DAMAGED;
    for (let k = 0; k < 64; k++) {
      const q = pq ? bswap<u16>(load<u16>(at + 1 + 2 * k)) : <u16>load<u8>(at + 1 + k);
      store<u16>(TABLES + 128 * tq + load<u8>(PLACE + k), q);
    }
    Defined.tables |= 1 << tq;
    at += bytes;
    length -= bytes;
  }
  return OK;
}

/** Gives a component its table at its first scan. Later segments do not change it, as in libjpeg. */
export function latch(c: Component): bool {
  if (c.hasQuant) return true;
  if (!((Defined.tables >> c.tq) & 1)) return false;
  memory.copy(c.quant, TABLES + 128 * c.tq, 128);
  c.hasQuant = true;
  return true;
}
