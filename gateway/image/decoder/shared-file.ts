/**
 * Memory shared by the gateway and a decoder process: an unlinked file. A pipe would copy the pixels in small pieces.
 *
 * Its first byte says whether a picture is being decoded. The gateway reads it after the process has ended: a picture
 * that was not being decoded is not the reason.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A file system in memory, on Linux. Writable in most containers with a read-only root too. */
const MEMORY = '/dev/shm';
/** Whole cache lines, so that copies stay aligned. */
const PIXELS_AT = 64;

/**
 * Opens a file that is deleted when the last process closes it, in memory where that has room.
 * @throws the system's error when it cannot be made.
 */
export function openSharedFile(): number {
  try {
    return openIn(MEMORY);
  } catch {
    return openIn(tmpdir());
  }
}

function openIn(folder: string): number {
  const name = path.join(folder, `tensorgate-${randomUUID()}`);
  const file = openSync(name, 'wx+', 0o600);
  unlinkSync(name);
  try {
    markDecoding(file, false);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

export function markDecoding(file: number, isDecoding: boolean): void {
  writeWhole(file, Uint8Array.of(isDecoding ? 1 : 0), 0);
}

/** False for a file without a mark. */
export function isMarkedDecoding(file: number): boolean {
  const mark = new Uint8Array(1);
  readSync(file, mark, 0, 1, 0);
  return mark[0] === 1;
}

/** @throws the system's error when there is no room, such as ENOSPC. */
export function writePixels(file: number, { buffer, byteOffset, byteLength }: ArrayBufferView): void {
  writeWhole(file, new Uint8Array(buffer, byteOffset, byteLength), PIXELS_AT);
}

/** Fills `bytes` with the pixels. @throws RangeError when the file has fewer. */
export function readPixels(file: number, bytes: Uint8Array): void {
  for (let filled = 0; filled < bytes.length; ) {
    const count = readSync(file, bytes, filled, bytes.length - filled, PIXELS_AT + filled);
    if (count === 0) throw new RangeError(`the file has ${filled} of ${bytes.length} bytes`);
    filled += count;
  }
}

/** Writes all bytes at a position, or after the last write where it is null. @throws the system's error. */
export function writeWhole(file: number, bytes: Uint8Array, position: number | null): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(file, bytes, written, bytes.length - written, position === null ? null : position + written);
  }
}
