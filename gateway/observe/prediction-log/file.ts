/** Writes lines to files of a folder. A file has a temporary name until it is finished. */
import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { Destination } from './buffer.ts';
import { FINISHED, finishLeftOvers, UNFINISHED } from './left-over.ts';

/** A file of this size is finished. DuckDB reads it in well under a second. */
const MAX_BYTES = 64 * 2 ** 20;
/** A file of this age is finished. */
const MAX_AGE_MS = 10 * 60_000;

export type FilesOptions = {
  readonly folder: string;
  readonly maxBytes?: number;
  readonly maxAgeMs?: number;
};

type OpenFile = {
  readonly handle: FileHandle;
  readonly name: string;
  readonly timer: NodeJS.Timeout;
  bytes: number;
};

/**
 * Opens the folder, and makes it if it is missing. `2026-11-30T15-04-05-678Z-4f2a9c01.jsonl`: names sort by time, and differ between
 * gateways. A folder that is deleted later is made again. Throws the error of the file system if it cannot be written. Several
 * gateways may share a folder.
 */
export function openFiles({ folder, maxBytes = MAX_BYTES, maxAgeMs = MAX_AGE_MS }: FilesOptions): Destination {
  mkdirSync(folder, { recursive: true });
  accessSync(folder, constants.W_OK | constants.X_OK);
  let current: OpenFile | undefined;
  let openedMs = 0;
  const suffix = randomBytes(4).toString('hex');
  /** Writes and the end of a file by its age come one after the other. */
  let last: Promise<unknown> = finishLeftOvers(folder, 2 * maxAgeMs).catch(() => undefined);

  function inOrder(work: () => Promise<void>): Promise<void> {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  }

  async function openNext(): Promise<OpenFile> {
    // Two files of one millisecond sort by time too.
    openedMs = Math.max(Date.now(), openedMs + 1);
    await mkdir(folder, { recursive: true });
    const name = path.join(folder, `${new Date(openedMs).toISOString().replace(/[:.]/g, '-')}-${suffix}`);
    const handle = await open(`${name}${UNFINISHED}`, 'wx');
    const timer = setTimeout(() => void inOrder(finish), maxAgeMs).unref();
    return { handle, name, timer, bytes: 0 };
  }

  async function finish(): Promise<void> {
    if (!current) return;
    const { handle, name, timer, bytes } = current;
    current = undefined;
    clearTimeout(timer);
    await handle.close();
    if (bytes === 0) await unlink(`${name}${UNFINISHED}`);
    else await rename(`${name}${UNFINISHED}`, `${name}${FINISHED}`);
  }

  /** The file was deleted: lines that are written to it now would be lost. */
  async function forget(): Promise<void> {
    clearTimeout(current?.timer);
    await current?.handle.close();
    current = undefined;
  }

  async function write(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    if (current && (await current.handle.stat()).nlink === 0) await forget();
    if (current && current.bytes + bytes.length > maxBytes) await finish();
    current ??= await openNext();
    const file = current;
    try {
      await writeWhole(file, bytes);
    } catch (cause) {
      // Half a line must not stay. The file may be another one by now, or its disk full: the next write starts a new one.
      await file.handle.truncate(file.bytes).catch(() => undefined);
      await finish();
      throw cause;
    }
    file.bytes += bytes.length;
  }

  return {
    write: (lines) => inOrder(() => write(lines)),
    close: () => inOrder(finish),
  };
}

/** A disk that is nearly full takes a part of the bytes, and refuses the rest. */
async function writeWhole({ handle, bytes: start }: OpenFile, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, start + at);
    at += bytesWritten;
  }
}
