/** Reads the top-level fields of a serialized protobuf message and skips their contents. Detects truncated files. */
import type { FileHandle } from 'node:fs/promises';

/** A tag and a length take at most this many bytes. */
const HEAD_BYTES = 20;
const FIXED_BYTES: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/**
 * The field numbers of a message in a file of the given size. Throws SyntaxError for bytes that are not a message or
 * are truncated.
 */
export async function readFieldNumbers(file: FileHandle, size: number): Promise<Set<number>> {
  const found = new Set<number>();
  const head = Buffer.alloc(HEAD_BYTES);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await file.read(head, 0, HEAD_BYTES, at);
    const bytes = head.subarray(0, bytesRead);
    const tag = readVarint(bytes, 0);
    const end = at + tag.end + fieldBytes(bytes, tag);
    if (end > size) throw new SyntaxError(`it is cut off: it has ${size} bytes and should have ${end} or more`);
    found.add(Math.floor(tag.value / 8));
    at = end;
  }
  return found;
}

type Varint = { readonly value: number; readonly end: number };

/** The number of bytes after a tag: the value, or its length and the value. */
function fieldBytes(head: Buffer, tag: Varint): number {
  const wireType = tag.value % 8;
  if (wireType === 0) return readVarint(head, tag.end).end - tag.end;
  if (wireType === 2) {
    const length = readVarint(head, tag.end);
    return length.end - tag.end + length.value;
  }
  const bytes = FIXED_BYTES[wireType];
  if (bytes === undefined || tag.value < 8) throw new SyntaxError('it is no protobuf message');
  return bytes;
}

function readVarint(bytes: Buffer, start: number): Varint {
  let value = 0;
  for (let at = start; at < Math.min(bytes.length, start + 10); at += 1) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * (at - start));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  throw new SyntaxError('it is cut off or no protobuf message');
}
