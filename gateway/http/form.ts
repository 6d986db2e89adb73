/** Reads a multipart/form-data body (RFC 7578): images in parts named `file`, and text fields. */
import type { IncomingHttpHeaders } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import busboy from 'busboy';
import { asGatewayError, GatewayError } from '../errors.ts';
import { tooManyInstances } from './body-limits.ts';

export type FormLimits = {
  readonly maxImageBytes: number;
  readonly maxInstances: number;
};

/** A text field by its name; several of one name as a list. */
export type FormFields = Readonly<Record<string, string | readonly string[]>>;

export type UploadedFile = { readonly field: string; readonly bytes: Buffer };

export type Form = { readonly files: readonly UploadedFile[]; readonly fields: FormFields };

/** The part name of images. */
const FILE = 'file';
const MAX_FIELDS = 16;
const MAX_FIELD_LENGTH = 1024;
/** Of the name of a part in error texts. */
const MAX_NAME_LENGTH = 80;

const NOTHING = Buffer.alloc(0);
/** What busboy parses at once: below a millisecond. */
const PIECE_BYTES = 128 * 1024;

/** Reads the parts of a form. `take` counts the memory of the files that are copied. */
export type ParseForm = (body: Buffer, take: (bytes: number) => void) => Promise<Form>;

/**
 * Opens the parser for a body with these headers. The files are slices of the body, except those that busboy takes as text.
 * Throws `invalid_request` without a boundary. The parser throws `invalid_request`, `body_too_large` for too many parts,
 * and what `take` throws.
 */
export function openForm(headers: IncomingHttpHeaders, limits: FormLimits): ParseForm {
  const parser = openParser(headers, limits);
  return (body, take) =>
    new Promise((resolve, reject) => {
      const fail = (error: GatewayError) => {
        parser.destroy();
        reject(error);
      };
      const form = collectParts(parser, { body, maxInstances: limits.maxInstances, take, fail });
      parser.on('close', () => resolve(form));
      parser.on('error', (cause) => fail(malformed(cause)));
      void writeInPieces(parser, body);
    });
}

/** Other requests run between the pieces. */
async function writeInPieces(parser: busboy.Busboy, body: Buffer): Promise<void> {
  for (let at = 0; at < body.length && !parser.destroyed; at += PIECE_BYTES) {
    parser.write(body.subarray(at, at + PIECE_BYTES));
    await setImmediate();
  }
  if (!parser.destroyed) parser.end();
}

type Collecting = {
  readonly body: Buffer;
  readonly maxInstances: number;
  readonly take: (bytes: number) => void;
  readonly fail: (error: GatewayError) => void;
};

/** Collects the parts as they are read. */
function collectParts(parser: busboy.Busboy, { body, maxInstances, take, fail }: Collecting): Form {
  const files: UploadedFile[] = [];
  const fields: Record<string, string | string[]> = Object.create(null);
  const tooMany = () => fail(tooManyInstances(maxInstances));
  /** Takes the next place in the order of the parts: busboy ends a file after it has read the fields behind it. */
  const addFile = (bytes: Buffer): { bytes: Buffer } => {
    const file = { field: `${FILE}[${files.length}]`, bytes };
    if (files.length === maxInstances) tooMany();
    else files.push(file);
    return file;
  };
  const addCopy = (bytes: Buffer) => {
    try {
      take(bytes.length);
      addFile(bytes);
    } catch (thrown) {
      fail(asGatewayError(thrown));
    }
  };
  for (const event of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const) parser.on(event, tooMany);
  parser.on('file', (name, stream) => {
    const file = addFile(NOTHING);
    const pieces: Buffer[] = [];
    if (name !== FILE) fail(wrongPart(name, 'send the images as parts named file.'));
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', (cause) => fail(malformed(cause)));
    stream.on('close', () => {
      file.bytes = sliceOf(body, pieces);
    });
  });
  parser.on('field', (name, value) => {
    if (name === FILE) {
      addCopy(Buffer.from(value, 'latin1'));
    } else if (name === undefined) {
      fail(wrongPart(name, 'send the images as parts named file.'));
    } else if (value.length > MAX_FIELD_LENGTH) {
      fail(wrongPart(name, 'is too long for a text field; send the images as parts named file.'));
    } else {
      const text = Buffer.from(value, 'latin1').toString();
      fields[name] = name in fields ? [fields[name] ?? [], text].flat() : text;
    }
  });
  return { files, fields };
}

/**
 * Joins the pieces of a part without a copy. They follow each other in the body, and busboy copies only pieces that are
 * shorter than the boundary: every other one tells where the part begins.
 */
function sliceOf(body: Buffer, pieces: readonly Buffer[]): Buffer {
  let before = 0;
  let start: number | undefined;
  for (const piece of pieces) {
    if (piece.buffer === body.buffer) start ??= piece.byteOffset - body.byteOffset - before;
    before += piece.length;
  }
  return start === undefined ? Buffer.concat(pieces) : body.subarray(start, start + before);
}

/** busboy gives no name where the part has none. */
function wrongPart(name: string | undefined, what: string): GatewayError {
  const part = name?.slice(0, MAX_NAME_LENGTH) ?? 'a part without a name';
  return new GatewayError('invalid_request', `${part}: ${what}`);
}

function malformed(cause: unknown): GatewayError {
  return new GatewayError('invalid_request', 'The multipart body is malformed.', { cause });
}

function openParser(headers: IncomingHttpHeaders, { maxImageBytes, maxInstances }: FormLimits): busboy.Busboy {
  // One byte more: a larger file is cut off here and refused by the check of all pictures, without the other files.
  const maxPartBytes = maxImageBytes + 1;
  const limits = {
    fileSize: maxPartBytes,
    fieldSize: maxPartBytes,
    files: maxInstances,
    fields: maxInstances + MAX_FIELDS,
    parts: maxInstances + MAX_FIELDS + 1,
    headerPairs: 32,
  };
  try {
    // busboy takes a part without a filename as text, but RFC 7578, 4.2 lets a file have none. Latin-1 keeps all bytes.
    return busboy({ headers, limits, defCharset: 'latin1' });
  } catch (cause) {
    const detail = 'Content-Type: the multipart boundary is missing or malformed.';
    throw new GatewayError('invalid_request', detail, { cause });
  }
}
