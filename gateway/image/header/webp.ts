/** Reads the size of a WebP from its first chunk (RFC 9649: VP8, VP8L or VP8X). */
import { type HeaderReader, header, PLAIN, text } from './header.ts';

const VP8_START_CODE = 0x9d012a;
const VP8L_SIGNATURE = 0x2f;

export const readWebp: HeaderReader = (bytes) => {
  switch (text(bytes, 12, 4)) {
    case 'VP8 ': {
      if (uint24(bytes, 23, false) !== VP8_START_CODE) return undefined;
      return header(bytes.getUint16(26, true) & 0x3fff, bytes.getUint16(28, true) & 0x3fff, PLAIN);
    }
    case 'VP8L': {
      if (bytes.getUint8(20) !== VP8L_SIGNATURE) return undefined;
      const packed = bytes.getUint32(21, true);
      return header((packed & 0x3fff) + 1, ((packed >> 14) & 0x3fff) + 1, PLAIN);
    }
    case 'VP8X':
      return header(uint24(bytes, 24, true) + 1, uint24(bytes, 27, true) + 1, PLAIN);
    default:
      return undefined;
  }
};

function uint24(bytes: DataView, offset: number, littleEndian: boolean): number {
  const [a, b, c] = [bytes.getUint8(offset), bytes.getUint8(offset + 1), bytes.getUint8(offset + 2)];
  return littleEndian ? a | (b << 8) | (c << 16) : (a << 16) | (b << 8) | c;
}
