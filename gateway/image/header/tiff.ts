/** Reads the first directory of a TIFF (TIFF 6.0, section 2). */
import { countParts, type HeaderReader, PLAIN, type Samples } from './header.ts';

const WIDTH = 256;
const HEIGHT = 257;
const BITS = 258;
const COMPRESSION = 259;
const PHOTOMETRIC = 262;
const ORIENTATION = 274;
const SAMPLES_PER_PIXEL = 277;
const PLANAR = 284;
const EXTRA_SAMPLES = 338;
const SAMPLE_FORMAT = 339;

/**
 * None, three of fax, LZW, JPEG, Deflate by both of its numbers, PackBits. Without the library of another one libvips may
 * give black pixels.
 */
const COMPRESSIONS: readonly number[] = [1, 2, 3, 4, 5, 7, 8, 32_773, 32_946];
const SEPARATE_PLANES = 2;

const BLACK_IS_ZERO = 1;
const CMYK = 5;
const YCBCR = 6;
const JPEG = 7;
const FLOAT = 3;
const ASSOCIATED_ALPHA = 1;

type Tags = ReadonlyMap<number, number>;

export const readTiff: HeaderReader = (bytes) => {
  const littleEndian = bytes.getUint8(0) === 0x49;
  const tags = readTags(bytes, littleEndian);
  const width = tags?.get(WIDTH) ?? 0;
  const height = tags?.get(HEIGHT) ?? 0;
  if (!tags || width === 0 || height === 0) return undefined;
  return { width, height, samples: samplesOf(tags, littleEndian), turned: (tags.get(ORIENTATION) ?? 1) > 1 };
};

/**
 * The first value of each SHORT or LONG entry. Undefined for a repeated tag: libtiff reads the first, others the last.
 */
function readTags(bytes: DataView, littleEndian: boolean): Tags | undefined {
  const directory = bytes.getUint32(4, littleEndian);
  const count = bytes.getUint16(directory, littleEndian);
  countParts()(count);
  const tags = new Map<number, number>();
  const seen = new Set<number>();
  for (let i = 0; i < count; i++) {
    const entry = directory + 2 + 12 * i;
    const tag = bytes.getUint16(entry, littleEndian);
    if (seen.has(tag)) return undefined;
    seen.add(tag);
    const size = { 3: 2, 4: 4 }[bytes.getUint16(entry + 2, littleEndian)];
    if (size === undefined) continue;
    const fits = bytes.getUint32(entry + 4, littleEndian) * size <= 4;
    const at = fits ? entry + 8 : bytes.getUint32(entry + 8, littleEndian);
    const value = size === 2 ? bytes.getUint16(at, littleEndian) : bytes.getUint32(at, littleEndian);
    tags.set(tag, value);
  }
  return tags;
}

/** Undefined for every kind that is not proven to decode as in Pillow. */
function samplesOf(tags: Tags, littleEndian: boolean): Samples | undefined {
  const bits = tags.get(BITS) ?? 1;
  const channels = tags.get(SAMPLES_PER_PIXEL) ?? 1;
  const photometric = tags.get(PHOTOMETRIC);
  const compression = tags.get(COMPRESSION) ?? 1;
  if (photometric === undefined || photometric > YCBCR || channels > 4) return undefined;
  if (!COMPRESSIONS.includes(compression)) return undefined;
  if (photometric <= BLACK_IS_ZERO && channels > 2) return undefined;
  if (tags.get(PLANAR) === SEPARATE_PLANES && bits < 8) return undefined;
  // Pillow converts YCbCr itself; only from JPEG both it and libvips get RGB of libtiff.
  if (photometric === YCBCR && compression !== JPEG) return undefined;
  if (photometric === CMYK) return bits === 8 && channels === 4 ? { kind: 'cmyk', adobe: false } : undefined;
  if (tags.get(SAMPLE_FORMAT) === FLOAT) return bits === 32 && channels === 1 ? PLAIN : undefined;
  if ((tags.get(SAMPLE_FORMAT) ?? 1) !== 1 || bits > 16) return undefined;
  if (channels === 1 && bits === 16) return gray16(photometric, littleEndian);
  if (tags.get(EXTRA_SAMPLES) !== ASSOCIATED_ALPHA) return PLAIN;
  return bits === 8 && channels === 4 ? { kind: 'premultiplied' } : undefined;
}

function gray16(photometric: number, littleEndian: boolean): Samples | undefined {
  return photometric === BLACK_IS_ZERO ? { kind: 'gray16', clipped: !littleEndian } : undefined;
}
