/** Files of the pages, read once: an answer opens no file, and all clients that do not take it share one copy. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Request, Response } from 'express';

/** Of a file, written at once: TLS makes a copy of it. */
const PIECE_BYTES = 64 * 1024;

export type PageFile = {
  /** With the dot. */
  readonly extension: string;
  readonly bytes: Buffer;
  readonly etag: string;
};

/** Reads a file. */
export function readPageFile(file: string): PageFile {
  const bytes = readFileSync(file);
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { extension: path.extname(file), bytes, etag };
}

/**
 * Sends a file, or 304 to a browser that has it (RFC 9110, 13.1.2). Browsers ask each time whether it has changed: a new
 * gateway may have another. The whole file is sent, whatever part of it is asked for.
 */
export function sendFile(request: Request, response: Response, { extension, bytes, etag }: PageFile): void {
  response.type(extension).set({ ETag: etag, 'Cache-Control': 'no-cache' });
  if (request.fresh) return void response.status(304).end();
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
