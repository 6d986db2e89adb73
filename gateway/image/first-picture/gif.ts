/** Keeps the blocks of a GIF that its first frame needs. */
import { blocksEnd, GRAPHIC_CONTROL, nextBlock, paletteOf } from '../header/gif-blocks.ts';

const IMAGE = 0x2c;
const DESCRIPTOR_BYTES = 10;
/** The end of the image's data, and of the file. */
const END = Uint8Array.of(0, 0x3b);

/**
 * Returns a GIF of its header, the graphic control extensions before the first image, and that image. Bytes between
 * blocks are dropped, as Pillow does; a missing end is added. A last block of data that the file's end cuts is dropped,
 * so that missing pixels are an error.
 */
export function firstFrameOfGif(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const global = paletteOf(view, 10, 13);
  const kept = [bytes.subarray(0, global.end)];
  let offset = nextBlock(view, global.end);
  while (bytes[offset] !== IMAGE) {
    const end = blocksEnd(view, offset + 2);
    if (bytes[offset + 1] === GRAPHIC_CONTROL) kept.push(bytes.subarray(offset, end));
    offset = nextBlock(view, end);
  }
  const local = paletteOf(view, offset + 9, offset + DESCRIPTOR_BYTES);
  kept.push(bytes.subarray(offset, wholeBlocksEnd(bytes, local.end + 1)), END);
  return Buffer.concat(kept);
}

/** Where the terminator of the data blocks at `offset` is, or should be. */
function wholeBlocksEnd(bytes: Uint8Array, offset: number): number {
  let end = offset;
  for (let size = bytes[end] ?? 0; size > 0 && end + size < bytes.length; size = bytes[end] ?? 0) end += 1 + size;
  return end;
}
