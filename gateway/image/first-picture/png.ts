/** Keeps the chunks of a PNG that its pixels need: IHDR, PLTE and the first run of IDAT. */
import { SIGNATURE_BYTES } from '../header/header.ts';
import { CHUNK_OVERHEAD, type Chunk, pngChunk, pngChunks } from './png-chunks.ts';

/**
 * Returns a PNG with IHDR first and without text, profiles, transparency, frames of an animation and unknown chunks.
 * Pillow skips those too; libpng refuses an unknown critical chunk and a chunk before IHDR. A last IDAT that the file's
 * end cuts gets the length that is there: whether rows are missing is for the decoder to say.
 */
export function pixelChunks(bytes: Uint8Array): Uint8Array {
  const chunks = pngChunks(bytes);
  const first = chunks.findIndex(({ name }) => name === 'IDAT');
  const after = chunks.findIndex(({ name }, index) => index > first && name !== 'IDAT');
  const rows = chunks.slice(first, after === -1 ? undefined : after);
  const before = (wanted: string) => chunks.slice(0, first).filter(({ name }) => name === wanted);
  const kept = [...before('IHDR'), ...before('PLTE'), ...rows].map(whole);
  return Buffer.concat([bytes.subarray(0, SIGNATURE_BYTES), ...kept, pngChunk('IEND', new Uint8Array())]);
}

/** The chunk, or what the end of the file has left of it as a chunk of its own. */
function whole({ name, chunk, content }: Chunk): Uint8Array {
  const declared = new DataView(chunk.buffer, chunk.byteOffset).getUint32(0);
  return chunk.length < CHUNK_OVERHEAD + declared ? pngChunk(name, content) : chunk;
}
