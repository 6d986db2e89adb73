/** The scan header (T.81 B.2.3). */
import { Component, component, Frame } from './frame';
import * as huffman from './huffman';
import { buildCodes, buildSteps } from './lookups';
import * as quantization from './quantization';
import { DAMAGED, NOT_OURS, OK } from './status';

export class Scan {
  /** Ns: components of the scan. */
  static components: i32 = 0;
  /** Ss, Se: the band of coefficients. Ah, Al: low bits that were and are still to come. */
  static ss: i32 = 0;
  static se: i32 = 0;
  static ah: i32 = 0;
  static al: i32 = 0;
  /** Where the entropy-coded data begin. */
  static data: usize = 0;
}

const INDICES: usize = memory.data(4);
const MOST_BLOCKS_IN_MCU: i32 = 10;

/** The scan's component number i. */
@inline
export function scanned(i: i32): Component {
  return component(load<u8>(INDICES + i));
}

export function read(at: usize, length: i32): i32 {
  if (Frame.components === 0 || length < 1) return DAMAGED;
  const count = <i32>load<u8>(at);
  if (count < 1 || count > Frame.components || length !== 4 + 2 * count) return DAMAGED;
  const spectral = at + 1 + 2 * count;
  Scan.components = count;
  Scan.ss = load<u8>(spectral);
  Scan.se = load<u8>(spectral, 1);
  Scan.ah = load<u8>(spectral, 2) >> 4;
  Scan.al = load<u8>(spectral, 2) & 15;
  if (!isBandValid()) return NOT_OURS;
  let blocks = 0;
  let next = 0;
  for (let i = 0; i < count; i++) {
    const spec = at + 1 + 2 * i;
    while (next < Frame.components && component(next).id !== <i32>load<u8>(spec)) next++;
    if (next === Frame.components) return NOT_OURS; // unknown, or not in the frame's order
    store<u8>(INDICES + i, next);
    const c = component(next++);
    const td = <i32>load<u8>(spec, 1) >> 4;
    const ta = <i32>load<u8>(spec, 1) & 15;
    if (td > 3 || ta > 3) return DAMAGED;
    c.dc = huffman.table(0, td);
    c.ac = huffman.table(1, ta);
    if (!quantization.latch(c) || !haveTables(c)) return DAMAGED;
    blocks += c.h * c.v;
  }
  return count > 1 && blocks > MOST_BLOCKS_IN_MCU ? NOT_OURS : OK;
}

/** G.1.1.1: a band of one component, or DC alone of any. */
function isBandValid(): bool {
  if (!Frame.isProgressive) return Scan.ss === 0 && Scan.se === 63 && Scan.ah === 0 && Scan.al === 0;
  if (Scan.ah !== 0 && Scan.ah !== Scan.al + 1) return false;
  if (Scan.al > 13) return false;
  return Scan.ss === 0 ? Scan.se === 0 : Scan.components === 1 && Scan.ss <= Scan.se && Scan.se < 64;
}

/** Looks for the tables that the scan needs, and builds them. */
function haveTables(c: Component): bool {
  const needsDc = Scan.ss === 0 && Scan.ah === 0;
  const needsAc = Scan.se > 0;
  if ((needsDc && !huffman.isDefined(c.dc)) || (needsAc && !huffman.isDefined(c.ac))) return false;
  if (!Frame.isProgressive) {
    buildSteps(c.dc, false);
    buildSteps(c.ac, true);
    return true;
  }
  if (needsDc) buildCodes(c.dc);
  if (needsAc) buildCodes(c.ac);
  return true;
}

/** Notes what the scan brings. False if its bits are not those that come next (G.1.1.1.1, G.1.1.1.2). */
export function advance(): bool {
  for (let i = 0; i < Scan.components; i++) {
    const missing = scanned(i).missingBits;
    if (Scan.ss > 0 && load<i8>(missing) < 0) return false;
    for (let k = Scan.ss; k <= Scan.se; k++) {
      const before = <i32>load<i8>(missing + k);
      if (Scan.ah === 0 ? before >= 0 : before !== Scan.ah) return false;
      store<i8>(missing + k, Scan.al);
    }
  }
  return true;
}

/** Whether all bits of all coefficients have come. For other pictures libjpeg guesses what is missing. */
export function isComplete(): bool {
  for (let i = 0; i < Frame.components; i++) {
    for (let k = 0; k < 64; k++) if (load<i8>(component(i).missingBits + k) !== 0) return false;
  }
  return true;
}
