/** The frame header (T.81 B.2.2) and what follows from it (A.1.1, A.2). */
import { DAMAGED, NOT_OURS, OK } from './status';

@unmanaged
export class Component {
  /** Ci, Hi, Vi, Tqi: identifier, sampling factors, quantization table. */
  id: i32;
  h: i32;
  v: i32;
  tq: i32;
  /** Its own copy of the table, as it stood when its first scan began; whether there is one. */
  quant: usize;
  hasQuant: bool;
  /** The Huffman tables of its present scan. */
  dc: usize;
  ac: usize;
  /** PRED (F.1.1.5.1): the DC of the block before. */
  predictor: i32;
  /** Samples of the picture, without those that fill up its last blocks. */
  width: i32;
  height: i32;
  /** Blocks that hold such samples. A scan of this component alone has no others (A.2.2). */
  blocksAcross: i32;
  blocksDown: i32;
  /** Pixels for each sample, across and down. */
  stretchX: i32;
  stretchY: i32;
  /** The samples of one row of MCUs: address of the first row. One row above and one below it can be written too. */
  plane: usize;
  stride: i32;
  /** The coefficients of all blocks, if they are kept: `coefficientBlocks` in each row. */
  coefficients: usize;
  coefficientBlocks: i32;
  /** How many low bits of each of the 64 coefficients are still to come, in zigzag order; NOTHING: all. */
  missingBits: usize;
}

export class Frame {
  static width: i32 = 0;
  static height: i32 = 0;
  /** Nf; 0 before the frame header. */
  static components: i32 = 0;
  static isProgressive: bool = false;
  static mcuWidth: i32 = 0;
  static mcuHeight: i32 = 0;
  static mcusAcross: i32 = 0;
  static mcusDown: i32 = 0;
}

/** Of missingBits: no scan had the coefficient. */
export const NOTHING: i32 = -1;

const MOST_COMPONENTS: i32 = 3;
const COMPONENT_BYTES: usize = 96;
const COMPONENTS: usize = memory.data(3 * 96, 16);
const QUANTS: usize = memory.data(3 * 128, 16);
const MISSING_BITS: usize = memory.data(3 * 64, 16);

@inline
export function component(i: i32): Component {
  return changetype<Component>(COMPONENTS + <usize>i * COMPONENT_BYTES);
}

/** libjpeg's JPEG_MAX_DIMENSION. */
const MOST_PIXELS_A_SIDE: i32 = 65500;

export function read(at: usize, length: i32, isProgressive: bool): i32 {
  if (length < 6 || Frame.components !== 0) return DAMAGED;
  const count = <i32>load<u8>(at, 5);
  if (load<u8>(at) !== 8 || (count !== 1 && count !== MOST_COMPONENTS)) return NOT_OURS;
  Frame.height = bswap<u16>(load<u16>(at, 1));
  Frame.width = bswap<u16>(load<u16>(at, 3));
  // No height: it comes after the first scan (DNL).
  if (Frame.height === 0 || Frame.height > MOST_PIXELS_A_SIDE || Frame.width > MOST_PIXELS_A_SIDE) return NOT_OURS;
  if (length !== 6 + 3 * count || Frame.width === 0) return DAMAGED;
  for (let i = 0; i < count; i++) {
    const c = component(i);
    const spec = at + 6 + 3 * i;
    c.id = load<u8>(spec);
    c.h = load<u8>(spec, 1) >> 4;
    c.v = load<u8>(spec, 1) & 15;
    c.tq = load<u8>(spec, 2);
    if (c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.tq > 3) return DAMAGED;
    for (let j = 0; j < i; j++) if (component(j).id === c.id) return NOT_OURS;
    c.quant = QUANTS + 128 * i;
    c.hasQuant = false;
    c.missingBits = MISSING_BITS + 64 * i;
  }
  memory.fill(MISSING_BITS, <u8>NOTHING, 3 * 64);
  Frame.components = count;
  Frame.isProgressive = isProgressive;
  return divide() ? OK : NOT_OURS;
}

/** Divides the picture into MCUs and blocks. False for sampling factors that are no divisors of the largest one. */
function divide(): bool {
  const first = component(0);
  if (Frame.components === 1) first.h = first.v = 1; // one block an MCU, whatever the factors (A.2.2)
  let hMax = 1;
  let vMax = 1;
  for (let i = 0; i < Frame.components; i++) {
    hMax = max(hMax, component(i).h);
    vMax = max(vMax, component(i).v);
  }
  Frame.mcuWidth = 8 * hMax;
  Frame.mcuHeight = 8 * vMax;
  Frame.mcusAcross = divideUp(Frame.width, Frame.mcuWidth);
  Frame.mcusDown = divideUp(Frame.height, Frame.mcuHeight);
  for (let i = 0; i < Frame.components; i++) {
    const c = component(i);
    if (hMax % c.h !== 0 || vMax % c.v !== 0) return false;
    c.stretchX = hMax / c.h;
    c.stretchY = vMax / c.v;
    c.width = divideUp(Frame.width, c.stretchX);
    c.height = divideUp(Frame.height, c.stretchY);
    c.blocksAcross = divideUp(c.width, 8);
    c.blocksDown = divideUp(c.height, 8);
  }
  return true;
}

@inline
function divideUp(a: i32, b: i32): i32 {
  return (a + b - 1) / b;
}
