/** Reads a PNG's IHDR, its first chunk (W3C PNG, 11.2.1). */
import { crc32 } from 'node:zlib';
import { type HeaderReader, header, PLAIN, text } from './header.ts';

const GRAY = 0;
/** The bit depths allowed for each colour type. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  [GRAY]: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/** Reads size, depth and colour type. A wrong checksum is damage, as in Pillow; the decoder would accept it. */
export const readPng: HeaderReader = (bytes) => {
  if (bytes.getUint32(8) !== 13 || text(bytes, 12, 4) !== 'IHDR') return undefined;
  const chunk = new Uint8Array(bytes.buffer, bytes.byteOffset + 12, 17);
  if (crc32(chunk) !== bytes.getUint32(29)) return undefined;
  const depth = bytes.getUint8(24);
  const colourType = bytes.getUint8(25);
  if (!DEPTHS[colourType]?.includes(depth)) return undefined;
  const gray16 = colourType === GRAY && depth === 16;
  return header(bytes.getUint32(16), bytes.getUint32(20), gray16 ? { kind: 'gray16', clipped: false } : PLAIN);
};
