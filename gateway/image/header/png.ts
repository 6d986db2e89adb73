/** Reads a PNG's IHDR (W3C PNG, 11.2.1). The standard wants it first; Pillow reads it anywhere before IDAT. */
import { crc32 } from 'node:zlib';
import { countParts, type HeaderReader, header, PLAIN, SIGNATURE_BYTES, text } from './header.ts';

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
  const at = findIhdr(bytes);
  if (at === undefined || bytes.getUint32(at) !== 13) return undefined;
  const chunk = new Uint8Array(bytes.buffer, bytes.byteOffset + at + 4, 17);
  if (crc32(chunk) !== bytes.getUint32(at + 21)) return undefined;
  const depth = bytes.getUint8(at + 16);
  const colourType = bytes.getUint8(at + 17);
  if (!DEPTHS[colourType]?.includes(depth)) return undefined;
  const gray16 = colourType === GRAY && depth === 16;
  return header(bytes.getUint32(at + 8), bytes.getUint32(at + 12), gray16 ? { kind: 'gray16', clipped: false } : PLAIN);
};

function findIhdr(bytes: DataView): number | undefined {
  const count = countParts();
  let offset = SIGNATURE_BYTES;
  while (true) {
    count();
    const name = text(bytes, offset + 4, 4);
    if (name === 'IHDR') return offset;
    if (name === 'IDAT') return undefined;
    offset += 12 + bytes.getUint32(offset);
  }
}
