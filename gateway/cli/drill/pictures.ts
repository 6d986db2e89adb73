/** Generates valid and invalid pictures. */
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

/** Pixels with every byte value: a wrong decode changes the scores. */
const SIDE = 64;
const RGB = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, at) => (at * 7 + (at >> 6)) % 256);
const GRAY = Uint8Array.from({ length: SIDE * SIDE }, (_, at) => (at * 5) % 256);

const raw = (bytes: Uint8Array, channels: 1 | 2 | 3 | 4) =>
  sharp(bytes, { raw: { width: SIDE, height: SIDE, channels } });

/** The picture that most checks send, as a sharp pipeline. */
export const photo = (): Sharp => raw(RGB, 3);
export const grayPhoto = (): Sharp => raw(GRAY, 1);
export const png = (): Promise<Buffer> => photo().png().toBuffer();
export const jpeg = (): Promise<Buffer> => photo().jpeg({ quality: 90 }).toBuffer();
export const webp = (): Promise<Buffer> => photo().webp({ lossless: true }).toBuffer();

/** A PNG of one colour. */
export function plain(width: number, height: number): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: '#369' } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** An animated GIF with 16 x 16 frames, each in another shade of grey. */
export function animated(frames: number): Promise<Buffer> {
  const bytes = Uint8Array.from({ length: 16 * 16 * frames * 3 }, (_, at) => Math.floor(at / (16 * 16 * 3)) % 256);
  const shape = { width: 16, height: 16 * frames, channels: 3, pageHeight: 16 } as const;
  return sharp(bytes, { raw: shape }).gif({ loop: 0 }).toBuffer();
}

/** A PNG chunk: length, name, data, CRC (W3C PNG, 5.3). */
export function pngChunk(name: string, data: Uint8Array = new Uint8Array()): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

/** The signature (8 bytes) and the IHDR chunk (25). */
const PNG_HEAD_BYTES = 8 + 25;

/** A PNG with additional chunks directly after IHDR. */
export function withChunks(picture: Buffer, ...chunks: readonly Buffer[]): Buffer {
  return Buffer.concat([picture.subarray(0, PNG_HEAD_BYTES), ...chunks, picture.subarray(PNG_HEAD_BYTES)]);
}

/** A compressed text chunk (zTXt) that inflates to `bytes` zeros. */
export function textBomb(bytes: number): Buffer {
  return pngChunk('zTXt', Buffer.concat([Buffer.from('bomb\0\0', 'latin1'), deflateSync(Buffer.alloc(bytes))]));
}

/** A PNG with the given size in its header and almost no pixel data. */
export function declaredPng(width: number, height: number): Buffer {
  const ihdr = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
  ihdr.writeUInt32BE(width, 0);
  ihdr.writeUInt32BE(height, 4);
  const magic = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([
    magic,
    pngChunk('IHDR', ihdr),
    pngChunk('IDAT', deflateSync(Buffer.alloc(64))),
    pngChunk('IEND'),
  ]);
}

/** A JPEG with the given size in its frame header (SOF0: marker, length, depth, height, width). */
export async function declaredJpeg(width: number, height: number): Promise<Buffer> {
  const bytes = await jpeg();
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  bytes.writeUInt16BE(height, frame + 5);
  bytes.writeUInt16BE(width, frame + 7);
  return bytes;
}

/** A lossless WebP with 16,384 x 16,384 in its header, the format's maximum (14 bits each, after the byte 0x2f). */
export async function largestWebp(): Promise<Buffer> {
  const bytes = await webp();
  const size = bytes.indexOf('VP8L') + 9;
  bytes.writeUInt32LE((bytes.readUInt32LE(size) | 0x0fffffff) >>> 0, size);
  return bytes;
}

/** A JPEG with one more application segment (at most 65,533 bytes) directly after the start marker. */
export function withSegment(picture: Buffer, marker: number, data: Uint8Array): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([picture.subarray(0, 2), head, data, picture.subarray(2)]);
}

/** An EXIF block with the given orientation (TIFF, big-endian, a directory of one entry). */
export function exifOrientation(orientation: number): Buffer {
  const directory = [0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
  return Buffer.concat([Buffer.from('Exif\0\0MM\0*\0\0\0\x08', 'latin1'), Buffer.from(directory)]);
}

/** The picture with 8 bytes changed, the same in every run (a linear congruential generator). */
export function mutated(picture: Buffer, seed: number): Buffer {
  const bytes = Buffer.from(picture);
  let state = seed;
  for (let left = 8; left > 0; left -= 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[state % bytes.length] = state >>> 24;
  }
  return bytes;
}
