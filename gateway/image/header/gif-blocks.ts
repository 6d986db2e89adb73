/** The blocks of a GIF (GIF89a, 15 to 26). */
import type { Count } from './header.ts';

export const GRAPHIC_CONTROL = 0xf9;
const EXTENSION = 0x21;
const IMAGE = 0x2c;
const TRAILER = 0x3b;

/** A colour table: the offset of its first entry, its number of entries, and its end. Without entries: shades of gray. */
export type Palette = { readonly offset: number; readonly colours: number; readonly end: number };

/** The colour table at `offset`, which the flags say is there and how long. */
export function paletteOf(bytes: DataView, flagsAt: number, offset: number): Palette {
  const flags = bytes.getUint8(flagsAt);
  const colours = flags & 0x80 ? 2 << (flags & 7) : 0;
  return { offset, colours, end: offset + 3 * colours };
}

/**
 * The next byte from `offset` on that begins a block. Others are skipped, as by Pillow, and counted. RangeError at the
 * end.
 */
export function nextBlock(bytes: DataView, offset: number, count: Count): number {
  let at = offset;
  for (let byte = bytes.getUint8(at); byte !== EXTENSION && byte !== IMAGE && byte !== TRAILER; at += 1) {
    count();
    byte = bytes.getUint8(at + 1);
  }
  return at;
}

/** The offset after the terminator of the data blocks that begin at `offset`. Counts them. RangeError when it is missing. */
export function blocksEnd(bytes: DataView, offset: number, count: Count): number {
  let at = offset;
  for (let size = bytes.getUint8(at); size > 0; size = bytes.getUint8(at)) {
    count();
    at += 1 + size;
  }
  return at + 1;
}
