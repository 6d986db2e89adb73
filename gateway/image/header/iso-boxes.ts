/** Reads the boxes of an ISO media file (ISO/IEC 14496-12, 4.2). */
import { countParts, text } from './header.ts';

/** `start` is the offset after the box's own header. */
export type Box = { readonly type: string; readonly start: number; readonly end: number };

/** The boxes between two offsets, one after the other. */
export function boxes(bytes: DataView, from: number, to: number): Box[] {
  const count = countParts();
  const found: Box[] = [];
  let offset = from;
  while (offset + 8 <= to) {
    count();
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

/** The first box at the end of a path of types below `parent`. */
export function find(bytes: DataView, parent: Box, path: readonly string[]): Box | undefined {
  const [type, ...rest] = path;
  if (type === undefined) return parent;
  const child = boxes(bytes, parent.start + (CHILDREN_AT[parent.type] ?? 0), parent.end).find(
    (box) => box.type === type,
  );
  return child && find(bytes, child, rest);
}

/** Bytes before the children of a box: version and flags of a full box, the fields of a visual sample entry. */
const CHILDREN_AT: Readonly<Record<string, number>> = { meta: 4, iref: 4, stsd: 8, av01: 78 };
