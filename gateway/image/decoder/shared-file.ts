/** Memory that the gateway and a decoder process share, as a file without a name: a pipe would take it through the kernel in crumbs. */
import { randomUUID } from 'node:crypto';
import { existsSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** On Linux, containers with a read-only root too: files that are memory and nothing else. */
const MEMORY = '/dev/shm';

/** Opens a file that is gone when nobody has it open any more. Throws the system's error where there is no place for it. */
export function openSharedFile(): number {
  const folder = existsSync(MEMORY) ? MEMORY : tmpdir();
  const name = path.join(folder, `tensorgate-${randomUUID()}`);
  const file = openSync(name, 'wx+', 0o600);
  unlinkSync(name);
  return file;
}

/** Fills `bytes` from the start of the file. @throws RangeError where it is shorter. */
export function readWhole(file: number, bytes: Uint8Array): void {
  for (let filled = 0; filled < bytes.length; ) {
    const count = readSync(file, bytes, filled, bytes.length - filled, filled);
    if (count === 0) throw new RangeError(`the file ends after ${filled} of ${bytes.length} bytes`);
    filled += count;
  }
}
