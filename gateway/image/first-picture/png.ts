/** Keeps the chunks of a PNG that its pixels need: IHDR, PLTE and the first run of IDAT. */
import { countFillers, countParts, SIGNATURE_BYTES } from '../header/header.ts';
import { type Chunk, contentOf, pngChunk, pngChunks } from './png-chunks.ts';

/** More heads are damage: libpng refuses a second IHDR or PLTE. */
const MAX_HEADS = 4;

/**
 * Returns a PNG with IHDR first and without text, profiles, transparency, frames of an animation and unknown chunks.
 * Pillow skips those too; libpng refuses an unknown critical chunk and a chunk before IHDR. A last IDAT that the file's
 * end cuts gets the length that is there: whether rows are missing is for the decoder to say.
 */
export function pixelChunks(bytes: Uint8Array): Uint8Array {
  const heads: Record<'IHDR' | 'PLTE', Uint8Array[]> = { IHDR: [], PLTE: [] };
  let first: Chunk | undefined;
  let last: Chunk | undefined;
  const [count, countPixels] = [countParts(), countFillers()];
  for (const chunk of pngChunks(bytes)) {
    const { name, start, end } = chunk;
    if (name === 'IDAT') countPixels();
    else count();
    if (name === 'IDAT') {
      first ??= chunk;
      last = chunk;
    } else if (first) break;
    else if ((name === 'IHDR' || name === 'PLTE') && heads[name].length < MAX_HEADS) {
      heads[name].push(bytes.subarray(start, end));
    }
  }
  const start = [bytes.subarray(0, SIGNATURE_BYTES), ...heads.IHDR, ...heads.PLTE];
  return Buffer.concat([...start, ...runOf(bytes, first, last), pngChunk('IEND', new Uint8Array())]);
}

/** The chunks from the first to the last, which lie side by side. */
function runOf(bytes: Uint8Array, first: Chunk | undefined, last: Chunk | undefined): Uint8Array[] {
  if (!first || !last) return [];
  if (last.end <= bytes.length) return [bytes.subarray(first.start, last.end)];
  return [bytes.subarray(first.start, last.start), pngChunk('IDAT', contentOf(bytes, last))];
}
