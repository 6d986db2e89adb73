/** Undoes the Content-Encoding of a body (RFC 9110, 8.4), within limits of size, memory and work. */
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import { GatewayError } from '../errors.ts';

/** The input of one call to the library, which cannot be interrupted. */
const INPUT_BYTES = 16 * 1024;
const OUTPUT = { chunkSize: 64 * 1024 };
/** A missing checksum at the end is no error, as in curl and browsers. The picture's own decoder sees a real cut. */
const INFLATE = { ...OUTPUT, finishFlush: constants.Z_SYNC_FLUSH };
/** A compressed file that a CDN compressed again. No real source uses more. */
const MAX_CODINGS = 2;
/** 8 MiB: what RFC 9659 allows in Content-Encoding. The library's own default is 128 MiB. */
const ZSTD_WINDOW_LOG = 23;

const DECODERS: ReadonlyMap<string, (body: Buffer) => Transform> = new Map<string, (body: Buffer) => Transform>([
  ['gzip', () => createGunzip(INFLATE)],
  ['x-gzip', () => createGunzip(INFLATE)],
  // Some servers send deflate without its zlib header. Browsers read both.
  ['deflate', (body) => (hasZlibHeader(body) ? createInflate(INFLATE) : createInflateRaw(INFLATE))],
  ['br', () => createBrotliDecompress(OUTPUT)],
  ['zstd', () => createZstdDecompress({ ...OUTPUT, params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } })],
]);

/**
 * The codings of a Content-Encoding header that change the bytes, in the order they were applied. Every other word
 * (identity, none, aws-chunked, utf-8, nothing at all) says nothing about the bytes: object stores keep what was sent
 * at the upload. Throws `source_not_image` if there are more than two.
 */
export function codingsOf(header: string | undefined): readonly string[] {
  const words = (header ?? '').toLowerCase().split(',');
  const codings = words.map((word) => word.trim()).filter((word) => DECODERS.has(word));
  if (codings.length <= MAX_CODINGS) return codings;
  throw new GatewayError('source_not_image', `the source's body has more than ${MAX_CODINGS} content encodings`);
}

export type DecodeLimits = {
  /** Ends the work between two pieces of input. */
  readonly signal: AbortSignal;
  /** Called with the length of each decoded piece. The error that it throws ends the work. */
  readonly count: (bytes: number) => void;
};

/**
 * Undoes one coding. Throws what `count` throws, the signal's reason, and `source_not_image` for a body that is damaged
 * or encoded in another way.
 */
export async function decodeBody(body: Buffer, coding: string, { signal, count }: DecodeLimits): Promise<Buffer> {
  const decoder = DECODERS.get(coding)?.(body);
  if (!decoder || body.length === 0) return body;
  const chunks: Buffer[] = [];
  let refusal: unknown;
  const collect = async (decoded: AsyncIterable<Buffer>) => {
    for await (const chunk of decoded) {
      try {
        count(chunk.length);
      } catch (error) {
        refusal = error;
        throw error;
      }
      chunks.push(chunk);
    }
  };
  try {
    await pipeline(Readable.from(piecesOf(body)), decoder, collect, { signal });
  } catch (cause) {
    signal.throwIfAborted();
    if (refusal !== undefined) throw refusal;
    const detail = `the source's Content-Encoding is ${coding}, but its body cannot be decoded`;
    throw new GatewayError('source_not_image', detail, { cause });
  }
  return Buffer.concat(chunks);
}

function* piecesOf(body: Buffer): Iterable<Buffer> {
  for (let at = 0; at < body.length; at += INPUT_BYTES) yield body.subarray(at, at + INPUT_BYTES);
}

/** RFC 1950, 2.2: compression method 8, and the first two bytes are a multiple of 31. */
function hasZlibHeader(body: Buffer): boolean {
  return body.length >= 2 && ((body[0] ?? 0) & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0;
}
