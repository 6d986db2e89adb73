/** Writes the coded picture of an AVIF file as a separate file, whose samples libheif does not convert. */
import { findPicture } from '../header/avif-picture.ts';

/** colr: RGB stored as G, B, R (matrix 0), full range. libheif then gives Cr, Y, Cb as red, green, blue. */
const UNCONVERTED = Buffer.from('6e636c78' + '0001' + '000d' + '0000' + '80', 'hex');

const BRANDS = 'avif\0\0\0\0avifmif1miaf';
/** hdlr, pitm and iinf for one picture, item 1. */
const HANDLER = `\0\0\0\0\0\0\0\0pict${'\0'.repeat(13)}`;
const PRIMARY = '\0\0\0\0\0\x01';
const INFORMATION_ENTRY = '\x02\0\0\0\0\x01\0\0av01\0';
/** ipma: item 1 has the properties 1 (size), 2 (configuration, essential) and 3 (colour). */
const ASSOCIATIONS = '\0\0\0\0\0\0\0\x01\0\x01\x03\x01\x82\x03';

/**
 * A still AVIF of the first picture: without its alpha, rotation, mirroring and crop, which Pillow does not apply, and
 * without the other frames of an animation, which libheif cannot skip. Chroma comes out in its own size, each sample
 * repeated. The header has been checked before.
 */
export function stillAvif(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const picture = findPicture(view);
  if (picture === undefined || picture === 'unsupported') return bytes;
  const { extents, configuration, width, height } = picture;
  const coded = Buffer.concat(extents.map(({ start, end }) => bytes.subarray(start, end)));
  const size = Buffer.alloc(12);
  size.writeUInt32BE(width, 4);
  size.writeUInt32BE(height, 8);
  const properties = [
    box('ispe', size),
    box('av1C', bytes.subarray(configuration.start, configuration.end)),
    box('colr', UNCONVERTED),
  ];
  const fileType = box('ftyp', latin1(BRANDS));
  const meta = (codedAt: number) =>
    box(
      'meta',
      latin1('\0\0\0\0'),
      box('hdlr', latin1(HANDLER)),
      box('pitm', latin1(PRIMARY)),
      box('iloc', location(codedAt, coded.length)),
      box('iinf', latin1('\0\0\0\0\0\x01'), box('infe', latin1(INFORMATION_ENTRY))),
      box('iprp', box('ipco', ...properties), box('ipma', latin1(ASSOCIATIONS))),
    );
  const codedAt = fileType.length + meta(0).length + BOX_HEAD_BYTES;
  return Buffer.concat([fileType, meta(codedAt), box('mdat', coded)]);
}

const BOX_HEAD_BYTES = 8;

function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const whole = Buffer.concat([Buffer.alloc(4), latin1(type), ...content]);
  whole.writeUInt32BE(whole.length, 0);
  return whole;
}

/** iloc: item 1 has one extent, with an offset and a length of 4 bytes each. */
function location(offset: number, length: number): Buffer {
  const content = Buffer.concat([latin1('\0\0\0\0\x44\0\0\x01\0\x01\0\0\0\x01'), Buffer.alloc(8)]);
  content.writeUInt32BE(offset, content.length - 8);
  content.writeUInt32BE(length, content.length - 4);
  return content;
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
