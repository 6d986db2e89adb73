/** Builds unusual image files byte by byte. */
import { crc32, deflateSync } from 'node:zlib';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const uint24le = (value: number) => Buffer.from([value & 255, (value >> 8) & 255, value >> 16]);

export const PNG_MAGIC = latin1('\x89PNG\r\n\x1a\n');

/** A PNG chunk: length, type, data and checksum. */
export function pngChunk(type: string, data: Uint8Array): Buffer {
  const typed = Buffer.concat([latin1(type), data]);
  return Buffer.concat([uint32(data.length), typed, uint32(crc32(typed))]);
}

/** The offset of the first chunk after IHDR in a PNG. */
const AFTER_IHDR = 33;

/** A PNG with more chunks after its header. */
export function withChunks(png: Buffer, chunks: readonly Buffer[]): Buffer {
  return Buffer.concat([png.subarray(0, AFTER_IHDR), ...chunks, png.subarray(AFTER_IHDR)]);
}

/** An 8-bit RGB PNG that declares a size and has almost no data. */
export function pngHeader(width: number, height: number): Buffer {
  const ihdr = pngChunk('IHDR', Buffer.concat([uint32(width), uint32(height), Buffer.from([8, 2, 0, 0, 0])]));
  return Buffer.concat([
    PNG_MAGIC,
    ihdr,
    pngChunk('IDAT', deflateSync(Buffer.alloc(10))),
    pngChunk('IEND', latin1('')),
  ]);
}

/** An animated PNG that repeats a PNG. */
export function apng(png: Buffer, frames: number): Buffer {
  const { data, size } = idatOf(png);
  let sequence = 0;
  const control = () =>
    pngChunk('fcTL', Buffer.concat([uint32(sequence++), size, Buffer.alloc(8), Buffer.from([0, 1, 0, 30, 0, 0])]));
  const more: Buffer[] = [];
  const first = control();
  for (let frame = 1; frame < frames; frame += 1) {
    more.push(control(), pngChunk('fdAT', Buffer.concat([uint32(sequence++), data])));
  }
  const animation = pngChunk('acTL', Buffer.concat([uint32(frames), uint32(0)]));
  const end = png.length - 12;
  return Buffer.concat([withChunks(png.subarray(0, end), [animation, first]), ...more, png.subarray(end)]);
}

function idatOf(png: Buffer): { data: Buffer; size: Buffer } {
  const at = png.indexOf('IDAT');
  return { data: png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)), size: png.subarray(16, 24) };
}

/** An animated GIF that repeats the only frame of a GIF. */
export function animatedGif(gif: Buffer, frames: number): Buffer {
  const tableBytes = gif.readUInt8(10) & 0x80 ? 3 * (2 << (gif.readUInt8(10) & 7)) : 0;
  const start = 13 + tableBytes;
  const frame = gif.subarray(start, gif.length - 1);
  return Buffer.concat([gif.subarray(0, start), ...Array<Buffer>(frames).fill(frame), latin1(';')]);
}

function riff(...chunks: readonly Buffer[]): Buffer {
  const body = Buffer.concat([latin1('WEBP'), ...chunks]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([latin1('RIFF'), length, body]);
}

function webpChunk(type: string, data: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(data.length);
  return Buffer.concat([latin1(type), length, data, Buffer.alloc(data.length & 1)]);
}

/** An animated WebP that repeats a lossless WebP of the given size. */
export function animatedWebp(webp: Buffer, [width, height]: readonly [number, number], frames: number): Buffer {
  const size = Buffer.concat([uint24le(width - 1), uint24le(height - 1)]);
  const frame = webpChunk(
    'ANMF',
    Buffer.concat([uint24le(0), uint24le(0), size, uint24le(30), latin1('\0'), webp.subarray(12)]),
  );
  return riff(
    webpChunk('VP8X', Buffer.concat([latin1('\x02\0\0\0'), size])),
    webpChunk('ANIM', Buffer.alloc(6)),
    ...Array<Buffer>(frames).fill(frame),
  );
}

/** Packs bits as WebP reads them: the lowest bit of each byte first. */
function bits(...fields: readonly (readonly [value: number, width: number])[]): Buffer {
  const all = fields.flatMap(([value, width]) => Array.from({ length: width }, (_, bit) => (value >> bit) & 1));
  const bytes = Buffer.alloc(Math.ceil(all.length / 8));
  all.forEach((bit, index) => {
    bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (bit << (index & 7));
  });
  return bytes;
}

/**
 * A lossless WebP as in CVE-2023-4863: its green code has `short` codes of 9 bits and the rest of 15 bits, so the tree
 * is not complete (RFC 9649, 5.2.2) and overflows a decoder table of fixed size.
 */
export function overflowingWebp(short: number): Buffer {
  const lengths = [9, 15];
  // The order of the code length codes (RFC 9649, 5.2.2). Lengths 9 and 15 get one bit each.
  const order = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
  const lengthCode = order.map((length): [number, number] => [lengths.includes(length) ? 1 : 0, 3]);
  const green = Array.from({ length: 280 }, (_, symbol): [number, number] => [symbol < short ? 0 : 1, 1]);
  const head: [number, number][] = [
    [0x2f, 8],
    [15, 14],
    [15, 14],
    [0, 1],
    [0, 3],
  ];
  const noTransform: [number, number][] = [
    [0, 1],
    [0, 1],
    [0, 1],
  ];
  const code: [number, number][] = [[0, 1], [15, 4], ...lengthCode, [0, 1], ...green];
  return riff(webpChunk('VP8L', Buffer.concat([bits(...head, ...noTransform, ...code), Buffer.alloc(512, 0xff)])));
}
