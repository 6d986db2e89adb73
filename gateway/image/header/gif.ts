/** Reads a GIF's canvas, first frame and palettes (GIF89a). Pillow composes its first picture from these. */
import { blocksEnd, GRAPHIC_CONTROL, nextBlock, type Palette, paletteOf } from './gif-blocks.ts';
import { countFillers, countParts, type Frame, type HeaderReader, header, PLAIN, type Rgb } from './header.ts';

const IMAGE = 0x2c;
const TRAILER = 0x3b;

/**
 * Walks the blocks to the first image. Pillow's canvas grows to hold its first frame. Pixels that the frame leaves open
 * get the transparent colour, or the palette's first one (GifImagePlugin, `_seek` and `load_prepare`).
 */
export const readGif: HeaderReader = (bytes) => {
  const global = paletteOf(bytes, 10, 13);
  const [count, countFiller] = [countParts(), countFillers()];
  let offset = nextBlock(bytes, global.end, countFiller);
  let transparent: number | undefined;
  while (true) {
    count();
    const block = bytes.getUint8(offset);
    if (block === IMAGE) return picture(bytes, offset, global, transparent);
    if (block === TRAILER) return undefined;
    if (bytes.getUint8(offset + 1) === GRAPHIC_CONTROL && (bytes.getUint8(offset + 3) & 1) === 1) {
      transparent = bytes.getUint8(offset + 6);
    }
    offset = nextBlock(bytes, blocksEnd(bytes, offset + 2, countFiller), countFiller);
  }
};

function picture(bytes: DataView, offset: number, global: Palette, transparent: number | undefined) {
  const uint16 = (at: number) => bytes.getUint16(at, true);
  const frame: Frame = {
    left: uint16(offset + 1),
    top: uint16(offset + 3),
    width: uint16(offset + 5),
    height: uint16(offset + 7),
  };
  const width = Math.max(uint16(6), frame.left + frame.width);
  const height = Math.max(uint16(8), frame.top + frame.height);
  const whole = frame.width === width && frame.height === height && uint16(6) === width && uint16(8) === height;
  if (whole && transparent === undefined) return header(width, height, PLAIN);
  const local = paletteOf(bytes, offset + 9, offset + 10);
  const fill = colour(bytes, local.colours > 0 ? local : global, transparent ?? 0);
  return header(width, height, { kind: 'framed', frame, fill });
}

function colour(bytes: DataView, { offset, colours }: Palette, index: number): Rgb {
  if (colours === 0) return [index, index, index];
  if (index >= colours) return [0, 0, 0];
  const at = offset + 3 * index;
  return [bytes.getUint8(at), bytes.getUint8(at + 1), bytes.getUint8(at + 2)];
}
