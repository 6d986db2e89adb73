/** Reads the files that an operator writes: model.yaml, keys, certificates. A wrong file gives an error, never a hang. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Of every such file. A model.yaml with 100,000 classes has 3 MB. */
const MAX_BYTES = 4 * 2 ** 20;

/** Without it, opening a FIFO would wait for a writer. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** `message` says why the file cannot be read. It has no path, so it may be public. */
export class FileError extends Error {
  /** The system's code, if it has one. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  ELOOP: 'its symbolic links form a loop',
  ENXIO: 'is not a file', // a socket
};

/** Reads a file. @throws FileError when it cannot be read, is no file (a folder, a device), or is too large. */
export async function readSmallFile(path: string, maxBytes = MAX_BYTES): Promise<Buffer> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, READ);
    const bytes = Buffer.alloc(sizeOf(await file.stat(), maxBytes));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return bytes.subarray(0, bytesRead);
  } catch (thrown) {
    throw fileError(thrown);
  } finally {
    await file?.close();
  }
}

/** The same without a promise, for what is read at the start. @throws FileError */
export function readSmallFileSync(path: string): Buffer {
  let file: number | undefined;
  try {
    file = openSync(path, READ);
    const bytes = Buffer.alloc(sizeOf(fstatSync(file), MAX_BYTES));
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0));
  } catch (thrown) {
    throw fileError(thrown);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

type About = { readonly size: number; isFile(): boolean; isDirectory(): boolean };

function sizeOf(about: About, maxBytes: number): number {
  if (about.isDirectory()) throw new FileError('is a folder, not a file');
  if (!about.isFile()) throw new FileError('is not a file');
  if (about.size > maxBytes) throw new FileError(`is larger than ${maxBytes / 2 ** 20} MiB`);
  return about.size;
}

function fileError(thrown: unknown): FileError {
  if (thrown instanceof FileError) return thrown;
  const { code = '', message } = thrown as NodeJS.ErrnoException;
  return new FileError(REASONS[code] ?? `cannot be read (${code || message})`, code);
}
