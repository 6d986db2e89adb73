/** Reads a request's body into memory, up to the limits. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import busboy from 'busboy';
import { clientGone, GatewayError } from '../errors.ts';
import { boundBodyMemory, type CountBody, type Refuse } from './body-memory.ts';

export type BodyLimits = {
  readonly maxBodyBytes: number;
  readonly maxImageBytes: number;
  readonly maxInstances: number;
  /** Bounds all bodies together. */
  readonly maxHeldBytes: number;
};

type FileLimits = Omit<BodyLimits, 'maxHeldBytes'>;

export type UploadedFile = { readonly field: string; readonly bytes: Buffer };

/** A request whose body is read. An aborted signal stops the reading. Its bytes count until the response is closed. */
export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
};

export type BodyReader = {
  /** `example`: a valid body, for the error text. */
  json(exchange: Exchange, example: string): Promise<unknown>;
  image(exchange: Exchange): Promise<Buffer>;
  files(exchange: Exchange): Promise<UploadedFile[]>;
};

/**
 * Creates the readers of the three kinds of body. They throw `body_too_large`, `unsupported_media` (compressed),
 * `invalid_json`, `invalid_request` (multipart), `client_timeout` when the signal is aborted, `client_gone`, and
 * `overloaded` when all bodies together are too large.
 */
export function createBodyReader({ maxHeldBytes, maxBodyBytes, maxImageBytes, maxInstances }: BodyLimits): BodyReader {
  const limits = { maxBodyBytes, maxImageBytes, maxInstances };
  const countBody = boundBodyMemory(maxHeldBytes);
  const readJson = rawReader(maxBodyBytes, 'MAX_BODY_BYTES', countBody);
  const readImage = rawReader(maxImageBytes, 'MAX_IMAGE_BYTES', countBody);
  return {
    json: async (exchange, example) => parseJson(await readJson(exchange), example),
    image: readImage,
    files: (exchange) => readFiles(exchange, limits, countBody),
  };
}

/** Reads a body of at most `limit` bytes. */
function rawReader(limit: number, setting: string, countBody: CountBody) {
  return async ({ request, response, signal }: Exchange) => {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const chunks: Buffer[] = [];
    let arrived = 0;
    const refuse: Refuse = (error) => {
      chunks.length = 0;
      request.removeAllListeners('data').resume();
      reject(error);
    };
    refuseEncoded(request);
    refuseDeclared(request, limit, setting);
    request.on('data', (chunk: Buffer) => {
      arrived += chunk.length;
      if (arrived > limit) refuse(tooLarge(limit, setting));
      else chunks.push(chunk);
    });
    countBody(request, response, refuse);
    refuseLate(signal, refuse);
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', (cause) => reject(clientGone(cause)));
    return promise;
  };
}

/** Refuses the body when the signal is aborted. */
function refuseLate(signal: AbortSignal, refuse: Refuse): void {
  const late = () => {
    const { reason: cause } = signal;
    refuse(new GatewayError('client_timeout', 'The body did not arrive before the deadline.', { cause }));
  };
  if (signal.aborted) late();
  else signal.addEventListener('abort', late, { once: true });
}

/** Throws `unsupported_media` for a compressed body. */
function refuseEncoded({ headers }: IncomingMessage): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() === 'identity') return;
  throw new GatewayError('unsupported_media', 'Content-Encoding: send the body uncompressed.');
}

/** Throws `body_too_large` for a Content-Length above the limit, before the body is read. */
function refuseDeclared({ headers }: IncomingMessage, limit: number, setting: string): void {
  if (Number(headers['content-length']) > limit) throw tooLarge(limit, setting);
}

function tooLarge(limit: number, setting: string): GatewayError {
  return new GatewayError('body_too_large', `The body is larger than ${limit} bytes (${setting}).`);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parseJson(body: Buffer, example: string): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch (cause) {
    const detail =
      body.length === 0 ? 'The body is empty' : 'The body is not JSON in UTF-8 (without a byte order mark)';
    throw new GatewayError('invalid_json', `${detail}; send for example ${example}.`, { cause });
  }
}

/** Reads the `file` parts of a multipart body. */
function readFiles(
  { request, response, signal }: Exchange,
  limits: FileLimits,
  countBody: CountBody,
): Promise<UploadedFile[]> {
  const { maxBodyBytes, maxImageBytes, maxInstances } = limits;
  return new Promise((resolve, reject) => {
    const files: UploadedFile[] = [];
    let total = 0;
    const parser = openParser(request, limits);
    refuseDeclared(request, maxBodyBytes, 'MAX_BODY_BYTES');
    const fail: Refuse = (error) => {
      request.unpipe(parser);
      parser.destroy();
      reject(error);
    };
    countBody(request, response, fail);
    refuseLate(signal, fail);
    request.on('data', (chunk: Buffer) => {
      total += chunk.length;
      if (total > maxBodyBytes) fail(tooLarge(maxBodyBytes, 'MAX_BODY_BYTES'));
    });
    parser.on('file', (field, stream) => {
      const chunks: Buffer[] = [];
      if (field !== 'file') fail(new GatewayError('invalid_request', `${field}: send the images as parts named file.`));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', (cause) => fail(malformed(cause)));
      stream.on('limit', () => fail(tooLarge(maxImageBytes, 'MAX_IMAGE_BYTES')));
      stream.on('close', () => files.push({ field: `file[${files.length}]`, bytes: Buffer.concat(chunks) }));
    });
    parser.on('filesLimit', () => fail(tooManyInstances(maxInstances)));
    parser.on('partsLimit', () => fail(tooManyInstances(maxInstances)));
    parser.on('close', () => resolve(files));
    parser.on('error', (cause) => fail(malformed(cause)));
    request.on('error', (cause) => fail(clientGone(cause)));
    request.pipe(parser);
  });
}

function malformed(cause: unknown): GatewayError {
  return new GatewayError('invalid_request', 'The multipart body is malformed.', { cause });
}

function openParser(request: IncomingMessage, { maxImageBytes, maxInstances }: FileLimits): busboy.Busboy {
  try {
    const limits = {
      fileSize: maxImageBytes,
      files: maxInstances,
      fields: 0,
      parts: maxInstances + 1,
      headerPairs: 32,
    };
    return busboy({ headers: request.headers, limits });
  } catch (cause) {
    throw new GatewayError('invalid_request', 'Content-Type: the multipart boundary is missing.', { cause });
  }
}

/** The error of a request with more images than MAX_INSTANCES. */
export function tooManyInstances(maxInstances: number): GatewayError {
  return new GatewayError(
    'body_too_large',
    `instances: at most ${maxInstances} images in one request (MAX_INSTANCES).`,
  );
}
