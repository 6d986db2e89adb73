/** The chunks of a PNG (W3C PNG, 5.3): a length, a name, the content, a checksum. */
import { crc32 } from 'node:zlib';
import { SIGNATURE_BYTES, text } from '../header/header.ts';

const HEAD_BYTES = 8;
const CHECKSUM_BYTES = 4;

/** The bytes of a chunk beside its content. */
export const CHUNK_OVERHEAD = HEAD_BYTES + CHECKSUM_BYTES;

/** `chunk`: with length, name and checksum. */
export type Chunk = { readonly name: string; readonly chunk: Uint8Array; readonly content: Uint8Array };

/** The chunks up to the end of the file, which may cut the last one. Views of the bytes. */
export function pngChunks(bytes: Uint8Array): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  let offset = SIGNATURE_BYTES;
  while (offset + HEAD_BYTES <= bytes.length) {
    const end = offset + HEAD_BYTES + view.getUint32(offset);
    const content = bytes.subarray(offset + HEAD_BYTES, end);
    chunks.push({ name: text(view, offset + 4, 4), chunk: bytes.subarray(offset, end + CHECKSUM_BYTES), content });
    offset = end + CHECKSUM_BYTES;
  }
  return chunks;
}

export function pngChunk(name: string, content: Uint8Array): Buffer {
  const chunk = Buffer.alloc(HEAD_BYTES + content.length + CHECKSUM_BYTES);
  chunk.writeUInt32BE(content.length, 0);
  chunk.write(name, 4, 'latin1');
  chunk.set(content, HEAD_BYTES);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, HEAD_BYTES + content.length)), HEAD_BYTES + content.length);
  return chunk;
}
