/** Files of the pages, read once: an answer opens no file, and all clients that do not take it share one copy. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Request, Response } from 'express';

const compress = promisify(gzip);

/** Of a file, written at once: TLS makes a copy of it. */
const PIECE_BYTES = 64 * 1024;

export type PageFile = {
  /** With the dot. */
  readonly extension: string;
  readonly bytes: Buffer;
  readonly etag: string;
  /** The bytes in gzip, compressed at the first call. */
  readonly gzipped: () => Promise<Buffer>;
};

/** Reads a file. */
export function readPageFile(file: string): PageFile {
  const bytes = readFileSync(file);
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  let gzipped: Promise<Buffer> | undefined;
  return {
    extension: path.extname(file),
    bytes,
    etag,
    gzipped() {
      gzipped ??= compress(bytes);
      return gzipped;
    },
  };
}

/**
 * Sends a file, in gzip to clients that accept it, or 304 to a browser that has it (RFC 9110, 13.1.2). Browsers ask each time
 * whether it has changed: a new gateway may have another. The whole file is sent, whatever part of it is asked for.
 */
export async function sendFile(request: Request, response: Response, file: PageFile): Promise<void> {
  const isGzip = request.acceptsEncodings(['gzip', 'identity']) === 'gzip';
  // The gzip body has another ETag than the plain one (RFC 9110, 8.8.3.3).
  const etag = isGzip ? file.etag.replace(/"$/, '-gzip"') : file.etag;
  response.type(file.extension).set({ ETag: etag, 'Cache-Control': 'no-cache', Vary: 'Accept-Encoding' });
  if (request.fresh) return void response.status(304).end();
  const bytes = isGzip ? await file.gzipped() : file.bytes;
  if (isGzip) response.set('Content-Encoding', 'gzip');
  response.set('Content-Length', String(bytes.length));
  if (request.method === 'HEAD') return void response.end();
  let at = 0;
  const writeMore = () => {
    while (at < bytes.length) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      at += piece.length;
      if (!response.write(piece)) return void response.once('drain', writeMore);
    }
    response.end();
  };
  writeMore();
}
