/**
 * Finds the picture in an AVIF file (ISO/IEC 14496-12 and 23008-12, AV1 Image File Format): where its coded bytes are,
 * its declared size, its configuration and colour.
 */
import type { Colour } from './av1.ts';
import { countParts, TooManyParts, text } from './header.ts';
import { type Box, boxes, find } from './iso-boxes.ts';

export type Extent = { readonly start: number; readonly end: number };

export type AvifPicture = {
  /** Declared by ispe, or by the track's sample entry. */
  readonly width: number;
  readonly height: number;
  /** The coded bytes, in pieces. */
  readonly extents: readonly Extent[];
  /** The content of av1C. */
  readonly configuration: Extent;
  /** From a colr box of type nclx. Without one, AV1's sequence header has it. */
  readonly colour: Colour | undefined;
};

/** `unsupported`: pictures made of tiles, layers or overlays, or multiplied by their alpha. Undefined: damaged. */
type Found = AvifPicture | 'unsupported' | undefined;

/** A file whose major brand is avis is read from its track, as by libavif (avifDecoderReset). */
export function findPicture(bytes: DataView): Found {
  const file: Box = { type: 'file', start: 0, end: bytes.byteLength };
  const majorBrand = text(bytes, 8, 4);
  const moov = find(bytes, file, ['moov']);
  const fromTrack = moov && majorBrand !== 'avif' ? ofTrack(bytes, moov) : undefined;
  const meta = find(bytes, file, ['meta']);
  return fromTrack ?? (meta && ofItem(bytes, meta));
}

/** Pictures, their alpha, sound: real files have few. */
const MAX_TRACKS = 16;

/** The first sample of the first track of AV1 pictures that is no alpha. */
function ofTrack(bytes: DataView, moov: Box): Found {
  const tracks = boxes(bytes, moov.start, moov.end).filter(({ type }) => type === 'trak');
  if (tracks.length > MAX_TRACKS) throw new TooManyParts(`more than ${MAX_TRACKS} tracks`);
  for (const track of tracks) {
    const table = find(bytes, track, ['mdia', 'minf', 'stbl']);
    const entry = table && find(bytes, table, ['stsd', 'av01']);
    const configuration = entry && find(bytes, entry, ['av1C']);
    if (!table || !entry || !configuration || find(bytes, track, ['tref', 'auxl'])) continue;
    if (find(bytes, track, ['tref', 'prem'])) return 'unsupported';
    const extent = firstSample(bytes, table);
    const properties = boxes(bytes, entry.start + 78, entry.end);
    return (
      extent && {
        width: bytes.getUint16(entry.start + 24),
        height: bytes.getUint16(entry.start + 26),
        extents: [extent],
        configuration,
        colour: colourOf(bytes, properties),
      }
    );
  }
  return undefined;
}

function firstSample(bytes: DataView, table: Box): Extent | undefined {
  const [sizes, offsets, wideOffsets] = ['stsz', 'stco', 'co64'].map((type) => find(bytes, table, [type]));
  if (!sizes || !(offsets || wideOffsets)) return undefined;
  const size = bytes.getUint32(sizes.start + 4) || bytes.getUint32(sizes.start + 12);
  const start = offsets
    ? bytes.getUint32(offsets.start + 8)
    : Number(bytes.getBigUint64((wideOffsets?.start ?? 0) + 8));
  return within(bytes.byteLength, { start, end: start + size });
}

function ofItem(bytes: DataView, meta: Box): Found {
  const [primary, location, container, associations] = [['pitm'], ['iloc'], ['iprp', 'ipco'], ['iprp', 'ipma']].map(
    (path) => find(bytes, meta, path),
  );
  if (!primary || !location || !container || !associations) return undefined;
  const isWide = bytes.getUint8(primary.start) > 0;
  const id = isWide ? bytes.getUint32(primary.start + 4) : bytes.getUint16(primary.start + 4);
  if (itemType(bytes, meta, id) !== 'av01' || find(bytes, meta, ['iref', 'prem'])) return 'unsupported';
  const all = boxes(bytes, container.start, container.end);
  const properties = indicesOf(bytes, associations, id).flatMap((index) => all[index - 1] ?? []);
  if (properties.some(({ type }) => LAYERS.includes(type))) return 'unsupported';
  const size = properties.find(({ type }) => type === 'ispe');
  const configuration = properties.find(({ type }) => type === 'av1C');
  const extents = extentsOf(bytes, location, find(bytes, meta, ['idat']), id);
  if (!size || !configuration || !extents || extents.length === 0) return undefined;
  return {
    width: bytes.getUint32(size.start + 4),
    height: bytes.getUint32(size.start + 8),
    extents,
    configuration,
    colour: colourOf(bytes, properties),
  };
}

/** Properties that select one of several pictures in the coded bytes. */
const LAYERS: readonly string[] = ['a1op', 'lsel', 'a1lx'];

/** The four characters of an item's type, from its infe box. */
function itemType(bytes: DataView, meta: Box, id: number): string | undefined {
  const information = find(bytes, meta, ['iinf']);
  if (!information) return undefined;
  const isWide = bytes.getUint8(information.start) > 0;
  for (const entry of boxes(bytes, information.start + (isWide ? 8 : 6), information.end)) {
    const version = bytes.getUint8(entry.start);
    const [at, itemId] = version > 2 ? [10, bytes.getUint32(entry.start + 4)] : [8, bytes.getUint16(entry.start + 4)];
    if (itemId === id) return text(bytes, entry.start + at, 4);
  }
  return undefined;
}

/** The numbers of an item's properties; the first property is 1. */
function indicesOf(bytes: DataView, { start }: Box, id: number): number[] {
  const isWide = bytes.getUint8(start) > 0;
  const indexBytes = bytes.getUint8(start + 3) & 1 ? 2 : 1;
  const count = countParts();
  const entries = bytes.getUint32(start + 4);
  let offset = start + 8;
  for (let entry = 0; entry < entries; entry++) {
    count();
    const itemId = isWide ? bytes.getUint32(offset) : bytes.getUint16(offset);
    offset += isWide ? 4 : 2;
    const associations = bytes.getUint8(offset);
    offset += 1;
    if (itemId === id) {
      return Array.from({ length: associations }, (_, i) =>
        indexBytes === 2 ? bytes.getUint16(offset + 2 * i) & 0x7fff : bytes.getUint8(offset + i) & 0x7f,
      );
    }
    offset += associations * indexBytes;
  }
  return [];
}

/** Where an item's bytes are (iloc, ISO/IEC 14496-12, 8.11.3): in the file, or in the meta box's idat. */
function extentsOf(bytes: DataView, { start }: Box, idat: Box | undefined, id: number): Extent[] | undefined {
  const version = bytes.getUint8(start);
  const [offsetBytes, lengthBytes] = nibbles(bytes.getUint8(start + 4));
  const [baseBytes, indexNibble] = nibbles(bytes.getUint8(start + 5));
  const indexBytes = version > 0 ? indexNibble : 0;
  let at = start + 6;
  const take = (size: number) => {
    at += size;
    if (size === 8) return Number(bytes.getBigUint64(at - 8));
    if (size === 4) return bytes.getUint32(at - 4);
    return size === 2 ? bytes.getUint16(at - 2) : 0;
  };
  const count = countParts();
  const items = take(version > 1 ? 4 : 2);
  for (let item = 0; item < items; item++) {
    const itemId = take(version > 1 ? 4 : 2);
    const method = version > 0 ? take(2) & 15 : 0;
    take(2); // data reference
    const base = take(baseBytes);
    const length = take(2);
    count(1 + length); // an extent may take no bytes: the file does not bound them
    const extents = Array.from({ length }, () => {
      take(indexBytes);
      return { offset: base + take(offsetBytes), length: take(lengthBytes) };
    });
    if (itemId === id) return inFile(bytes, extents, method === 0 ? { start: 0, end: bytes.byteLength } : idat);
  }
  return undefined;
}

function inFile(
  bytes: DataView,
  extents: readonly { readonly offset: number; readonly length: number }[],
  area: Extent | undefined,
): Extent[] | undefined {
  if (!area) return undefined;
  const found = extents.map(({ offset, length }) => {
    const start = area.start + offset;
    return within(bytes.byteLength, { start, end: length > 0 ? start + length : area.end });
  });
  if (!found.every((extent) => extent !== undefined)) return undefined;
  const total = found.reduce((sum, { start, end }) => sum + end - start, 0);
  // Extents may overlap: thousands of a few bytes that name the whole file would be put together to gigabytes.
  return total <= bytes.byteLength ? found : undefined;
}

function within(length: number, extent: Extent): Extent | undefined {
  return extent.start < extent.end && extent.end <= length ? extent : undefined;
}

function nibbles(byte: number): readonly [number, number] {
  return [byte >> 4, byte & 15];
}

function colourOf(bytes: DataView, properties: readonly Box[]): Colour | undefined {
  const box = properties.find(({ type, start }) => type === 'colr' && text(bytes, start, 4) === 'nclx');
  return box && { matrix: bytes.getUint16(box.start + 8), isFullRange: bytes.getUint8(box.start + 10) >= 128 };
}
