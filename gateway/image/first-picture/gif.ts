/** Keeps the blocks of a GIF that its first frame needs. */
import { blocksEnd, GRAPHIC_CONTROL, nextBlock, paletteOf } from '../header/gif-blocks.ts';
import { countFillers } from '../header/header.ts';
import { endOfPixels } from './lzw.ts';

const IMAGE = 0x2c;
const DESCRIPTOR_BYTES = 10;
/** The end of the image's data, and of the file. */
const END = Uint8Array.of(0, 0x3b);

/**
 * Returns a GIF of its header, the graphic control extensions before the first image, and that image. Bytes between
 * blocks are dropped, as Pillow does. The data is taken up to the block that completes the pixels: what follows may be
 * damaged or missing. The header has been read before: up to the image its blocks are counted there.
 * @throws RangeError when pixels are missing: an error in Pillow too.
 */
export function firstFrameOfGif(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const global = paletteOf(view, 10, 13);
  const kept = [bytes.subarray(0, global.end)];
  const count = countFillers();
  let offset = nextBlock(view, global.end, count);
  while (bytes[offset] !== IMAGE) {
    const end = blocksEnd(view, offset + 2, count);
    if (bytes[offset + 1] === GRAPHIC_CONTROL) kept.push(bytes.subarray(offset, end));
    offset = nextBlock(view, end, count);
  }
  const local = paletteOf(view, offset + 9, offset + DESCRIPTOR_BYTES);
  const pixels = view.getUint16(offset + 5, true) * view.getUint16(offset + 7, true);
  const end = endOfPixels(bytes, local.end, pixels);
  if (end === undefined) throw new RangeError('the data of the first frame ends before its last pixel');
  return Buffer.concat([...kept, bytes.subarray(offset, end), END]);
}
