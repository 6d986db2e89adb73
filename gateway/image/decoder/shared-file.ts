/**
 * Memory shared by the gateway and a decoder process: an unlinked file. A pipe would copy the pixels in small pieces.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A file system in memory, on Linux. Writable in containers with a read-only root too. */
const MEMORY = '/dev/shm';

/** Opens a file that is deleted when the last process closes it. @throws the system's error when it cannot be made. */
export function openSharedFile(): number {
  const folder = existsSync(MEMORY) ? MEMORY : tmpdir();
  const name = path.join(folder, `tensorgate-${randomUUID()}`);
  const file = openSync(name, 'wx+', 0o600);
  unlinkSync(name);
  return file;
}

/** Fills `bytes` from the start of the file. @throws RangeError when the file is shorter. */
export function readWhole(file: number, bytes: Uint8Array): void {
  for (let filled = 0; filled < bytes.length; ) {
    const count = readSync(file, bytes, filled, bytes.length - filled, filled);
    if (count === 0) throw new RangeError(`the file ends after ${filled} of ${bytes.length} bytes`);
    filled += count;
  }
}
