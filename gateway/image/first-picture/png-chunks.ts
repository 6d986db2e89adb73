/** The chunks of a PNG (W3C PNG, 5.3): a length, a name, the content, a checksum. */
import { crc32 } from 'node:zlib';
import { SIGNATURE_BYTES, text } from '../header/header.ts';

const HEAD_BYTES = 8;
const CHECKSUM_BYTES = 4;

/** Offsets of a chunk. `end` is after its checksum; the end of the file may cut it. */
export type Chunk = { readonly name: string; readonly start: number; readonly content: number; readonly end: number };

/** The chunks one by one: a file may have a million of them. */
export function* pngChunks(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = SIGNATURE_BYTES;
  while (start + HEAD_BYTES <= bytes.length) {
    const content = start + HEAD_BYTES;
    const end = content + view.getUint32(start) + CHECKSUM_BYTES;
    yield { name: text(view, start + 4, 4), start, content, end };
    start = end;
  }
}

/** The content of a chunk, up to the end of the file. */
export function contentOf(bytes: Uint8Array, { content, end }: Chunk): Uint8Array {
  return bytes.subarray(content, end - CHECKSUM_BYTES);
}

export function pngChunk(name: string, content: Uint8Array): Buffer {
  const chunk = Buffer.alloc(HEAD_BYTES + content.length + CHECKSUM_BYTES);
  chunk.writeUInt32BE(content.length, 0);
  chunk.write(name, 4, 'latin1');
  chunk.set(content, HEAD_BYTES);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, HEAD_BYTES + content.length)), HEAD_BYTES + content.length);
  return chunk;
}
