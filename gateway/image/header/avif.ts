/** Reads the size of an AVIF from the `ispe` boxes of its meta box (ISO/IEC 14496-12 and 23008-12). */
import { type HeaderReader, header, MAX_STEPS, PLAIN, text } from './header.ts';

type Box = { readonly type: string; readonly start: number; readonly end: number };

/**
 * Reads the largest `ispe` as the picture's size. A picture of tiles declares both the size of a tile and its own; the
 * larger one counts against the limit on pixels.
 */
export const readAvif: HeaderReader = (bytes) => {
  const meta = boxes(bytes, 0, bytes.byteLength).find((box) => box.type === 'meta');
  if (!meta) return undefined;
  const properties = boxes(bytes, meta.start + 4, meta.end).find((box) => box.type === 'iprp');
  const container = properties && boxes(bytes, properties.start, properties.end).find((box) => box.type === 'ipco');
  if (!container) return undefined;
  const sizes = boxes(bytes, container.start, container.end)
    .filter((box) => box.type === 'ispe')
    .map((box) => header(bytes.getUint32(box.start + 4), bytes.getUint32(box.start + 8), PLAIN))
    .filter((size) => size !== undefined);
  return sizes.sort((a, b) => b.width * b.height - a.width * a.height)[0];
};

/** The boxes between two offsets, one after the other. */
function boxes(bytes: DataView, from: number, to: number): Box[] {
  const found: Box[] = [];
  let offset = from;
  while (offset + 8 <= to && found.length < MAX_STEPS) {
    const declared = bytes.getUint32(offset);
    const wide = declared === 1;
    const size = wide ? Number(bytes.getBigUint64(offset + 8)) : declared || to - offset;
    const start = offset + (wide ? 16 : 8);
    const end = Math.min(offset + size, to);
    if (end < start) break;
    found.push({ type: text(bytes, offset + 4, 4), start, end });
    offset = end;
  }
  return found;
}
