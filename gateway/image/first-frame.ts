/** Animated WebP without all that follows its first frame, which is the only one decoded. */
import { MAX_STEPS, text } from './header/header.ts';

const RIFF_HEAD_BYTES = 12;
const CHUNK_HEAD_BYTES = 8;
const RIFF_SIZE_AT = 4;

/**
 * Gives a WebP of the first frame alone where more frames follow it, and the bytes themselves otherwise. libvips walks
 * through all frames for each of their durations before it decodes one: 60,000 of them in 2 MB take a minute.
 */
export function firstFrame(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = endOfFirstFrame(view);
  if (end === undefined || end >= bytes.length) return bytes;
  const cut = new Uint8Array(bytes.subarray(0, end));
  new DataView(cut.buffer).setUint32(RIFF_SIZE_AT, end - CHUNK_HEAD_BYTES, true);
  return cut;
}

/** RFC 9649, 2.3: a chunk is its name, its length and its content, filled up to an even length; ANMF holds a frame. */
function endOfFirstFrame(view: DataView): number | undefined {
  if (view.byteLength < RIFF_HEAD_BYTES || text(view, 0, 4) !== 'RIFF' || text(view, 8, 4) !== 'WEBP') return undefined;
  let offset = RIFF_HEAD_BYTES;
  for (let step = 0; step < MAX_STEPS && offset + CHUNK_HEAD_BYTES <= view.byteLength; step += 1) {
    const name = text(view, offset, 4);
    const length = view.getUint32(offset + 4, true);
    offset += CHUNK_HEAD_BYTES + length + (length & 1);
    if (name === 'ANMF') return offset;
  }
  return undefined;
}
