/** Undoes the compression of what clients send, within the memory that is counted for it. */
import type { Transform } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { GatewayError } from '../errors.ts';

const OUTPUT = { chunkSize: 64 * 1024 };
/** The library's window and tables, and a piece on each side. */
export const DECOMPRESSOR_BYTES = 192 * 1024;

const DECOMPRESSORS: ReadonlyMap<string, () => Transform> = new Map([
  ['gzip', () => createGunzip(OUTPUT)],
  ['x-gzip', () => createGunzip(OUTPUT)],
  ['deflate', () => createInflate(OUTPUT)],
]);

/** What undoes a coding of HTTP (RFC 9110, 8.4.1) or of gRPC, which have the same names. Undefined for others. */
export function createDecompressor(coding: string): Transform | undefined {
  return DECOMPRESSORS.get(coding)?.();
}

/** The error of bytes that are not what the header says. */
export function damaged(header: string, cause: unknown): GatewayError {
  return new GatewayError('invalid_request', `${header}: the body cannot be decompressed.`, { cause });
}
