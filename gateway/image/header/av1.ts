/** Reads the sequence header of an AV1 picture (AV1 specification, 5.5): its size and how its colours are stored. */
import { BitReader } from './bits.ts';
import { countParts } from './header.ts';

/** How YCbCr is converted to RGB. `matrix`: MatrixCoefficients of ITU-T H.273. */
export type Colour = { readonly matrix: number; readonly isFullRange: boolean };

export type Av1Sequence = Colour & {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly isGray: boolean;
  /** Whether chroma has half the columns, or half the rows. */
  readonly isHalfWide: boolean;
  readonly isHalfHigh: boolean;
};

const SEQUENCE_HEADER = 1;
const UNSPECIFIED = 2;

/** Reads the first sequence header between two offsets. Undefined when there is none. */
export function readSequence(bytes: DataView, from: number, to: number): Av1Sequence | undefined {
  const count = countParts();
  let offset = from;
  while (offset < to) {
    count();
    const head = bytes.getUint8(offset);
    const type = (head >> 3) & 15;
    offset += head & 4 ? 2 : 1;
    if (type === SEQUENCE_HEADER)
      return sequence(new BitReader(bytes, offset + (head & 2 ? leb128(bytes, offset).bytes : 0)));
    if (!(head & 2)) return undefined; // without a size the unit takes the rest
    const size = leb128(bytes, offset);
    offset += size.bytes + size.value;
  }
  return undefined;
}

function leb128(bytes: DataView, offset: number): { value: number; bytes: number } {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes.getUint8(offset + i);
    value += (byte & 127) * 128 ** i;
    if (byte < 128) return { value, bytes: i + 1 };
  }
  return { value, bytes: 8 };
}

function sequence(bits: BitReader): Av1Sequence {
  const profile = bits.bits(3);
  bits.flag(); // still_picture
  const isReduced = bits.flag();
  if (isReduced) bits.bits(5);
  else skipOperatingPoints(bits);
  const widthBits = bits.bits(4) + 1;
  const heightBits = bits.bits(4) + 1;
  const width = bits.bits(widthBits) + 1;
  const height = bits.bits(heightBits) + 1;
  if (!isReduced && bits.flag()) bits.bits(7); // frame ids
  bits.bits(3); // 128 x 128 blocks, filter_intra, intra_edge_filter
  if (!isReduced) skipInterTools(bits);
  bits.bits(3); // superres, cdef, restoration
  return { width, height, ...colourConfig(bits, profile) };
}

function skipOperatingPoints(bits: BitReader): void {
  let delayBits = 0;
  if (bits.flag()) {
    bits.bits(32);
    bits.bits(32);
    if (bits.flag()) bits.uvlc();
    if (bits.flag()) {
      delayBits = bits.bits(5) + 1;
      bits.bits(32);
      bits.bits(10);
    }
  }
  const hasDisplayDelay = bits.flag();
  const count = bits.bits(5) + 1;
  for (let point = 0; point < count; point++) {
    bits.bits(12);
    if (bits.bits(5) > 7) bits.flag(); // level, tier
    if (delayBits > 0 && bits.flag()) {
      bits.bits(delayBits);
      bits.bits(delayBits);
      bits.flag();
    }
    if (hasDisplayDelay && bits.flag()) bits.bits(4);
  }
}

function skipInterTools(bits: BitReader): void {
  bits.bits(4); // interintra, masked, warped, dual filter
  const hasOrderHint = bits.flag();
  if (hasOrderHint) bits.bits(2);
  const screenContent = bits.flag() ? 2 : bits.bits(1);
  if (screenContent > 0 && !bits.flag()) bits.flag(); // integer motion vectors
  if (hasOrderHint) bits.bits(3);
}

/** color_config() of the specification. */
function colourConfig(bits: BitReader, profile: number): Omit<Av1Sequence, 'width' | 'height'> {
  const isHigh = bits.flag();
  const depth = isHigh ? (profile === 2 && bits.flag() ? 12 : 10) : 8;
  const isGray = profile !== 1 && bits.flag();
  const [primaries, transfer, matrix] = bits.flag()
    ? [bits.bits(8), bits.bits(8), bits.bits(8)]
    : [UNSPECIFIED, UNSPECIFIED, UNSPECIFIED];
  const colour = { depth, isGray, matrix };
  if (!isGray && primaries === 1 && transfer === 13 && matrix === 0) {
    return { ...colour, isFullRange: true, isHalfWide: false, isHalfHigh: false };
  }
  const isFullRange = bits.flag();
  if (isGray || profile === 0) return { ...colour, isFullRange, isHalfWide: true, isHalfHigh: true };
  if (profile === 1) return { ...colour, isFullRange, isHalfWide: false, isHalfHigh: false };
  const isHalfWide = depth === 12 ? bits.flag() : true;
  return { ...colour, isFullRange, isHalfWide, isHalfHigh: depth === 12 && isHalfWide && bits.flag() };
}
