/** Files that a gateway left unfinished when it was killed. */
import { type FileHandle, glob, open, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';

export const FINISHED = '.jsonl';
/** Follows the name of a file that is being written. */
export const UNFINISHED = '.jsonl.part';

const PIECE_BYTES = 64 * 1024;
const LINE_FEED = 10;

/**
 * Finishes files that were not written to for `ageMs`: no gateway keeps one open for so long. Half a line at the end, which a
 * kill in the middle of a write leaves, is cut off. What cannot be finished stays as it is.
 */
export async function finishLeftOvers(folder: string, ageMs: number): Promise<void> {
  for await (const name of glob(`*${UNFINISHED}`, { cwd: folder })) {
    await finishLeftOver(path.join(folder, name), ageMs).catch(() => undefined);
  }
}

async function finishLeftOver(file: string, ageMs: number): Promise<void> {
  const { mtimeMs, size } = await stat(file);
  if (Date.now() - mtimeMs < ageMs) return;
  const handle = await open(file, 'r+');
  let end = 0;
  try {
    end = await endOfLines(handle, size);
    await handle.truncate(end);
  } finally {
    await handle.close();
  }
  if (end === 0) await unlink(file);
  else await rename(file, `${file.slice(0, -UNFINISHED.length)}${FINISHED}`);
}

/** Where the last whole line ends. */
async function endOfLines(handle: FileHandle, size: number): Promise<number> {
  const piece = Buffer.alloc(PIECE_BYTES);
  for (let end = size; end > 0; end -= PIECE_BYTES) {
    const start = Math.max(0, end - PIECE_BYTES);
    const { bytesRead } = await handle.read(piece, 0, end - start, start);
    const at = piece.subarray(0, bytesRead).lastIndexOf(LINE_FEED);
    if (at >= 0) return start + at + 1;
  }
  return 0;
}
