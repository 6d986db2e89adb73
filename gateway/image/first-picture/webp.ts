/** Cuts an animated WebP after its first frame. */
import { countParts, text } from '../header/header.ts';

const RIFF_HEAD_BYTES = 12;
const CHUNK_HEAD_BYTES = 8;
const RIFF_SIZE_AT = 4;

/**
 * Returns a WebP of the first frame only when more frames follow, otherwise the bytes themselves. libvips reads the
 * duration of every frame before it decodes one, and walks all frames for each: 60,000 frames in 2 MB take a minute.
 */
export function firstFrameOfWebp(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = endOfFirstFrame(view);
  if (end === undefined || end >= bytes.length) return bytes;
  const cut = new Uint8Array(bytes.subarray(0, end));
  new DataView(cut.buffer).setUint32(RIFF_SIZE_AT, end - CHUNK_HEAD_BYTES, true);
  return cut;
}

/** RFC 9649, 2.3: a chunk is a name, a length and a content padded to an even length. ANMF holds a frame. */
function endOfFirstFrame(view: DataView): number | undefined {
  const count = countParts();
  let offset = RIFF_HEAD_BYTES;
  while (offset + CHUNK_HEAD_BYTES <= view.byteLength) {
    count();
    const name = text(view, offset, 4);
    const length = view.getUint32(offset + 4, true);
    offset += CHUNK_HEAD_BYTES + length + (length & 1);
    if (name === 'ANMF') return offset;
  }
  return undefined;
}
