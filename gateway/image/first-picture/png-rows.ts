/** Repairs the compressed rows of a PNG where Pillow reads them and libpng does not. */
import { constants, deflateSync, inflateRawSync, inflateSync } from 'node:zlib';
import { contentOf, pngChunk, pngChunks } from './png-chunks.ts';

/** zlib's header before the deflate stream (RFC 1950). */
const ZLIB_HEAD_BYTES = 2;
const HIGHEST_FILTER = 4;

/** Adam7: first column, first row, and the steps between columns and rows of each pass (W3C PNG, 8.1). */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
const SAMPLES_PER_PIXEL: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/**
 * Returns a PNG with all of its rows and a right checksum, or undefined where Pillow finds the rows damaged too. Pillow
 * needs no checksum once all rows are there; and where the compressed stream ends early, but whole and after a whole
 * row, the missing rows are zeros (ZipDecode.c).
 * @param bytes A PNG with the chunks IHDR, PLTE and IDAT only, as pixelChunks gives it.
 */
export function withAllRows(bytes: Uint8Array): Uint8Array | undefined {
  const { head, header, stream } = partsOf(bytes);
  if (!header) return undefined;
  const lengths = rowLengths(header);
  const total = lengths.reduce((sum, { rows, bytes: row }) => sum + rows * row, 0);
  const rows = inflated(stream, total);
  if (!rows || !areRowsRead(rows, lengths)) return undefined;
  if (rows.length < total && !isWholeStream(stream, total)) return undefined;
  const padded = new Uint8Array(total);
  padded.set(rows);
  const repaired = pngChunk('IDAT', deflateSync(padded, { level: constants.Z_BEST_SPEED }));
  return Buffer.concat([head, repaired, pngChunk('IEND', new Uint8Array())]);
}

/** Everything before the first IDAT, the content of IHDR, and the content of all IDAT. */
function partsOf(bytes: Uint8Array): { head: Uint8Array; header: Uint8Array | undefined; stream: Uint8Array } {
  const stream = new Uint8Array(bytes.length);
  let length = 0;
  let headEnd = 0;
  let header: Uint8Array | undefined;
  for (const chunk of pngChunks(bytes)) {
    const content = contentOf(bytes, chunk);
    if (chunk.name === 'IHDR') header ??= content;
    if (chunk.name !== 'IDAT') continue;
    headEnd ||= chunk.start;
    stream.set(content, length);
    length += content.length;
  }
  return { head: bytes.subarray(0, headEnd), header, stream: stream.subarray(0, length) };
}

type Pass = { readonly rows: number; readonly bytes: number };

/** The rows of each pass, and the bytes of a row with its filter byte. */
function rowLengths(header: Uint8Array): Pass[] {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const bits = view.getUint8(8) * (SAMPLES_PER_PIXEL[view.getUint8(9)] ?? 1);
  const passes = view.getUint8(12) === 1 ? PASSES : ([[0, 0, 1, 1]] as const);
  return passes
    .map(([left, top, stepX, stepY]) => ({
      columns: Math.ceil((width - left) / stepX),
      rows: Math.max(0, Math.ceil((height - top) / stepY)),
    }))
    .filter(({ columns }) => columns > 0)
    .map(({ columns, rows }) => ({ rows, bytes: 1 + Math.ceil((columns * bits) / 8) }));
}

/** What the deflate stream gives before its end or the file's. Undefined for a damaged stream, and for too many bytes. */
function inflated(stream: Uint8Array, maxOutputLength: number): Uint8Array | undefined {
  try {
    const finishFlush = constants.Z_SYNC_FLUSH;
    return inflateRawSync(stream.subarray(ZLIB_HEAD_BYTES), { finishFlush, maxOutputLength });
  } catch {
    return undefined;
  }
}

/** Whether the stream has an end and the right checksum. */
function isWholeStream(stream: Uint8Array, maxOutputLength: number): boolean {
  try {
    inflateSync(stream, { maxOutputLength });
    return true;
  } catch {
    return false;
  }
}

/** Whether the bytes end after a whole row, and all rows have a known filter. At least one row. */
function areRowsRead(data: Uint8Array, passes: readonly Pass[]): boolean {
  let offset = 0;
  for (const { rows, bytes } of passes) {
    for (let row = 0; row < rows && offset < data.length; row++, offset += bytes) {
      if ((data[offset] as number) > HIGHEST_FILTER) return false;
    }
  }
  return data.length > 0 && offset === data.length;
}
