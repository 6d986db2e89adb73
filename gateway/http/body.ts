/** Reads a request's body into memory, never more of it than is allowed. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import busboy from 'busboy';
import express from 'express';
import { GatewayError } from '../errors.ts';

export type BodyLimits = {
  readonly maxBodyBytes: number;
  readonly maxImageBytes: number;
  readonly maxInstances: number;
};

export type UploadedFile = { readonly field: string; readonly bytes: Buffer };

export type BodyReader = {
  json(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<unknown>;
  image(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<Buffer>;
  files(request: IncomingMessage, signal: AbortSignal): Promise<UploadedFile[]>;
};

/**
 * Makes the readers of the three kinds of body. Their errors: `body_too_large`, `unsupported_media` (compressed),
 * `invalid_json`, `invalid_request` (multipart), `client_timeout` when the body is not here by the deadline.
 */
export function createBodyReader({ maxBodyBytes, maxImageBytes, maxInstances }: BodyLimits): BodyReader {
  const readJson = rawReader(maxBodyBytes, 'MAX_BODY_BYTES');
  const readImage = rawReader(maxImageBytes, 'MAX_IMAGE_BYTES');
  return {
    json: async (request, response, signal) => parseJson(await inTime(readJson(request, response), signal)),
    image: (request, response, signal) => inTime(readImage(request, response), signal),
    files: (request, signal) => inTime(readFiles(request, { maxBodyBytes, maxImageBytes, maxInstances }), signal),
  };
}

function rawReader(limit: number, setting: string) {
  const read = express.raw({ type: () => true, limit, inflate: false });
  return (request: IncomingMessage & { body?: Buffer }, response: ServerResponse) =>
    new Promise<Buffer>((resolve, reject) => {
      refuseDeclared(request, limit, setting);
      let arrived = 0;
      // express.raw reads what is too large to its end before it says so.
      request.on('data', (chunk: Buffer) => {
        arrived += chunk.length;
        if (arrived > limit) reject(tooLarge(limit, setting));
      });
      read(request, response, (error?: unknown) => {
        if (error) reject(bodyError(error as Error & { type?: string }, limit, setting));
        else resolve(request.body ?? Buffer.alloc(0));
      });
    });
}

/** The failures of body-parser by its own `type` names. */
function bodyError(cause: Error & { type?: string }, limit: number, setting: string): GatewayError {
  if (cause.type === 'entity.too.large') return tooLarge(limit, setting);
  if (cause.type === 'encoding.unsupported') {
    return new GatewayError('unsupported_media', 'Content-Encoding: send the body uncompressed.', { cause });
  }
  if (cause.type === 'request.aborted')
    return new GatewayError('client_gone', 'The client closed the connection.', { cause });
  return new GatewayError('invalid_request', 'The body could not be read; check its Content-Length.', { cause });
}

/** Throws `body_too_large` by the declared length alone, before any of the body is here. */
function refuseDeclared({ headers }: IncomingMessage, limit: number, setting: string): void {
  if (Number(headers['content-length']) > limit) throw tooLarge(limit, setting);
}

function tooLarge(limit: number, setting: string): GatewayError {
  return new GatewayError('body_too_large', `The body is larger than ${limit} bytes (${setting}).`);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch (cause) {
    const detail =
      body.length === 0 ? 'The body is empty' : 'The body is not JSON in UTF-8 (without a byte order mark)';
    throw new GatewayError('invalid_json', `${detail}; send for example {"url": "https://…/pants.jpg"}.`, { cause });
  }
}

function inTime<T>(reading: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = Promise.withResolvers<never>();
  const onAbort = () =>
    late.reject(
      new GatewayError('client_timeout', 'The body did not arrive before the deadline.', { cause: signal.reason }),
    );
  signal.addEventListener('abort', onAbort, { once: true });
  return Promise.race([reading, late.promise]).finally(() => signal.removeEventListener('abort', onAbort));
}

function readFiles(request: IncomingMessage, limits: BodyLimits): Promise<UploadedFile[]> {
  const { maxBodyBytes, maxImageBytes, maxInstances } = limits;
  return new Promise((resolve, reject) => {
    const files: UploadedFile[] = [];
    let total = 0;
    const parser = openParser(request, limits);
    refuseDeclared(request, maxBodyBytes, 'MAX_BODY_BYTES');
    const fail = (error: GatewayError) => {
      request.unpipe(parser);
      parser.destroy();
      reject(error);
    };
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
    parser.on('filesLimit', () => fail(tooMany(maxInstances)));
    parser.on('partsLimit', () => fail(tooMany(maxInstances)));
    parser.on('close', () => resolve(files));
    parser.on('error', (cause) => fail(malformed(cause)));
    request.on('error', (cause) =>
      fail(new GatewayError('client_gone', 'The client closed the connection.', { cause })),
    );
    request.pipe(parser);
  });
}

function malformed(cause: unknown): GatewayError {
  return new GatewayError('invalid_request', 'The multipart body is malformed.', { cause });
}

function openParser(request: IncomingMessage, { maxImageBytes, maxInstances }: BodyLimits): busboy.Busboy {
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

/** The refusal of a request with more images than MAX_INSTANCES. */
export function tooMany(maxInstances: number): GatewayError {
  return new GatewayError(
    'body_too_large',
    `instances: at most ${maxInstances} images in one request (MAX_INSTANCES).`,
  );
}
