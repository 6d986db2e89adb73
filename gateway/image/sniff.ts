/** Detects a file's format from its first bytes, and reads the declared size of the formats that can be decoded. */
import type { ImageFormat } from '../domain/picture.ts';
import { readAvif } from './header/avif.ts';
import { readGif } from './header/gif.ts';
import { type HeaderReader, type ImageHeader, TooManyParts } from './header/header.ts';
import { readJpeg } from './header/jpeg.ts';
import { readPng } from './header/png.ts';
import { readTiff } from './header/tiff.ts';
import { readWebp } from './header/webp.ts';

/** Formats that are recognised by their magic and never decoded. */
export type OtherFormat =
  | ('bmp' | 'ico' | 'jp2' | 'jxl' | 'heif' | 'svg' | 'pdf' | 'ppm' | 'psd' | 'exr' | 'qoi' | 'dds' | 'bigtiff')
  | ('mp4' | 'webm' | 'avi');

/** The result of sniffing. A decodable format has its header, or what is wrong with it. */
export type Sniffed =
  | { readonly format: ImageFormat; readonly header: ImageHeader }
  | { readonly format: ImageFormat; readonly header: undefined; readonly mistake: string }
  | { readonly format: OtherFormat };

type Magic = readonly [
  format: ImageFormat | OtherFormat,
  ...parts: readonly (readonly [offset: number, latin1: string])[],
];

const MAGIC: readonly Magic[] = [
  ['jpeg', [0, '\xff\xd8\xff']],
  ['png', [0, '\x89PNG\r\n\x1a\n']],
  ['webp', [0, 'RIFF'], [8, 'WEBP']],
  ['gif', [0, 'GIF87a']],
  ['gif', [0, 'GIF89a']],
  ['tiff', [0, 'II*\0']],
  ['tiff', [0, 'MM\0*']],
  ['bigtiff', [0, 'II+\0']],
  ['bigtiff', [0, 'MM\0+']],
  ['bmp', [0, 'BM'], [6, '\0\0\0\0']],
  ['ico', [0, '\0\0\x01\0'], [5, '\0']],
  ['ico', [0, '\0\0\x02\0'], [5, '\0']],
  ['jp2', [0, '\0\0\0\x0cjP  \r\n\x87\n']],
  ['jp2', [0, '\xff\x4f\xff\x51']],
  ['jxl', [0, '\0\0\0\x0cJXL \r\n\x87\n']],
  ['jxl', [0, '\xff\x0a']],
  ['pdf', [0, '%PDF-']],
  ['psd', [0, '8BPS']],
  ['exr', [0, '\x76\x2f\x31\x01']],
  ['qoi', [0, 'qoif']],
  ['dds', [0, 'DDS ']],
  ['webm', [0, '\x1a\x45\xdf\xa3']],
  ['avi', [0, 'RIFF'], [8, 'AVI ']],
];

const READERS: Readonly<Record<ImageFormat, HeaderReader>> = {
  jpeg: readJpeg,
  png: readPng,
  webp: readWebp,
  gif: readGif,
  avif: readAvif,
  tiff: readTiff,
};

/** Enough for every magic, and for the brands of ISO media files. */
const MAGIC_BYTES = 256;
/** The bytes that are searched for `<svg`, which may follow an XML prologue and comments. */
const SVG_BYTES = 4096;
const SVG = /^(?:\xef\xbb\xbf)?\s*(?:<svg[\s>]|<(?:\?xml|!--|!DOCTYPE svg).*?<svg[\s>])/is;
const PPM = /^P[1-7][\s#]/;

/**
 * Detects the format by content, not by name or media type. Reads the header only: at most a few thousand steps,
 * whatever the length. Does not throw.
 * @returns undefined for bytes that are no known image, video or document.
 */
export function sniff(bytes: Uint8Array): Sniffed | undefined {
  const format = formatOf(headOf(bytes, MAGIC_BYTES)) ?? (SVG.test(headOf(bytes, SVG_BYTES)) ? 'svg' : undefined);
  if (format === undefined) return undefined;
  return isDecodable(format) ? { format, ...readHeader(bytes, READERS[format]) } : { format };
}

/** The first bytes as Latin-1 text, one character for each byte. */
function headOf({ buffer, byteOffset, byteLength }: Uint8Array, most: number): string {
  return Buffer.from(buffer, byteOffset, Math.min(byteLength, most)).toString('latin1');
}

/** The format by its magic: any but SVG, which has none. */
function formatOf(head: string): ImageFormat | OtherFormat | undefined {
  const found = MAGIC.find(([, ...parts]) => parts.every(([offset, magic]) => head.startsWith(magic, offset)));
  if (found) return found[0];
  if (head.startsWith('ftyp', 4)) return isoMediaFormat(head);
  return PPM.test(head) ? 'ppm' : undefined;
}

/** ISO media files list brands: the major one, a version, then the compatible ones (ISO/IEC 14496-12, 4.3). */
function isoMediaFormat(head: string): 'avif' | 'heif' | 'mp4' {
  const boxBytes = Buffer.from(head.slice(0, 4), 'latin1').readUInt32BE();
  const brands = head.slice(8, boxBytes).match(/.{4}/gs) ?? [];
  if (brands.some((brand) => brand === 'avif' || brand === 'avis')) return 'avif';
  return brands.some((brand) => /^(?:hei[cmsx]|hev[cmsx]|mif1|msf1)$/.test(brand)) ? 'heif' : 'mp4';
}

function isDecodable(format: ImageFormat | OtherFormat): format is ImageFormat {
  return Object.hasOwn(READERS, format);
}

function readHeader(bytes: Uint8Array, read: HeaderReader) {
  const damaged = { header: undefined, mistake: 'a damaged header' } as const;
  try {
    const header = read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return header ? { header } : damaged;
  } catch (error) {
    if (error instanceof TooManyParts) return { header: undefined, mistake: error.message };
    if (error instanceof RangeError) return damaged; // DataView throws it for a header that ends too early
    throw error;
  }
}
