/** Reads a multipart/form-data body (RFC 7578): images in parts named `file`, and text fields. */
import type { IncomingMessage } from 'node:http';
import busboy from 'busboy';
import { clientGone, GatewayError } from '../errors.ts';
import { refuseDeclared, refuseEncoded, refuseLate, tooLarge, tooManyInstances } from './body-limits.ts';
import type { CountBody, Refuse } from './body-memory.ts';
import type { Exchange } from './exchange.ts';

export type FormLimits = {
  readonly maxBodyBytes: number;
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

/** Reads a form. Its errors: see BodyReader. */
export function readForm(
  { request, response, signal }: Exchange,
  limits: FormLimits,
  countBody: CountBody,
): Promise<Form> {
  const { maxBodyBytes, maxInstances } = limits;
  return new Promise((resolve, reject) => {
    refuseEncoded(request);
    const parser = openParser(request, limits);
    refuseDeclared(request, maxBodyBytes, 'MAX_BODY_BYTES');
    const fail: Refuse = (error) => {
      request.unpipe(parser).removeAllListeners('data');
      stopCounting();
      parser.destroy();
      reject(error);
    };
    const stopCounting = countBody(request, response, fail);
    refuseLate(signal, fail);
    let total = 0;
    request.on('data', (chunk: Buffer) => {
      total += chunk.length;
      if (total > maxBodyBytes) fail(tooLarge(maxBodyBytes, 'MAX_BODY_BYTES'));
    });
    const form = collectParts(parser, maxInstances, fail);
    parser.on('close', () => resolve(form));
    parser.on('error', (cause) => fail(malformed(cause)));
    request.on('error', (cause) => fail(clientGone(cause)));
    request.pipe(parser);
  });
}

/** Collects the parts as they are read. */
function collectParts(parser: busboy.Busboy, maxFiles: number, fail: Refuse): Form {
  const files: UploadedFile[] = [];
  const fields: Record<string, string | string[]> = Object.create(null);
  const tooMany = () => fail(tooManyInstances(maxFiles));
  const addFile = (bytes: Buffer) => {
    if (files.length === maxFiles) tooMany();
    else files.push({ field: `${FILE}[${files.length}]`, bytes });
  };
  for (const event of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const) parser.on(event, tooMany);
  parser.on('file', (name, stream) => {
    const chunks: Buffer[] = [];
    if (name !== FILE) fail(new GatewayError('invalid_request', `${name}: send the images as parts named file.`));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', (cause) => fail(malformed(cause)));
    stream.on('close', () => addFile(Buffer.concat(chunks)));
  });
  parser.on('field', (name, value) => {
    const bytes = Buffer.from(value, 'latin1');
    if (name === FILE) addFile(bytes);
    else if (value.length > MAX_FIELD_LENGTH) fail(new GatewayError('invalid_request', `${name}: is too long.`));
    else fields[name] = name in fields ? [fields[name] ?? [], bytes.toString()].flat() : bytes.toString();
  });
  return { files, fields };
}

function malformed(cause: unknown): GatewayError {
  return new GatewayError('invalid_request', 'The multipart body is malformed.', { cause });
}

function openParser(request: IncomingMessage, { maxImageBytes, maxInstances }: FormLimits): busboy.Busboy {
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
    return busboy({ headers: request.headers, limits, defCharset: 'latin1' });
  } catch (cause) {
    throw new GatewayError('invalid_request', 'Content-Type: the multipart boundary is missing.', { cause });
  }
}
