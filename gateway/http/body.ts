/** Reads a request's body into memory, up to the limits. */
import { clientGone, GatewayError } from '../errors.ts';
import { refuseDeclared, refuseEncoded, refuseLate, tooLarge } from './body-limits.ts';
import { boundBodyMemory, type CountBody, type Refuse } from './body-memory.ts';
import type { Exchange } from './exchange.ts';
import { type Form, type FormLimits, readForm } from './form.ts';

/** `maxHeldBytes` bounds all bodies together. */
export type BodyLimits = FormLimits & { readonly maxHeldBytes: number };

export type BodyReader = {
  /** `example`: a valid body, for the error text. */
  json(exchange: Exchange, example: string): Promise<unknown>;
  image(exchange: Exchange): Promise<Buffer>;
  form(exchange: Exchange): Promise<Form>;
};

/**
 * Creates the readers of the three kinds of body. They throw `body_too_large`, `unsupported_media` (compressed),
 * `invalid_json`, `invalid_request` (multipart), `client_timeout` when the signal is aborted, `client_gone`, and
 * `overloaded` when all bodies together are too large.
 */
export function createBodyReader({ maxHeldBytes, maxBodyBytes, maxImageBytes, maxInstances }: BodyLimits): BodyReader {
  const limits = { maxBodyBytes, maxImageBytes, maxInstances };
  const countBody = boundBodyMemory(maxHeldBytes);
  const readWhole = rawReader(maxBodyBytes, 'MAX_BODY_BYTES', countBody);
  const readImage = maxImageBytes < maxBodyBytes ? rawReader(maxImageBytes, 'MAX_IMAGE_BYTES', countBody) : readWhole;
  return {
    json: async (exchange, example) => parseJson(await readWhole(exchange), example),
    image: readImage,
    form: (exchange) => readForm(exchange, limits, countBody),
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
      stopCounting();
      reject(error);
    };
    refuseEncoded(request);
    refuseDeclared(request, limit, setting);
    request.on('data', (chunk: Buffer) => {
      arrived += chunk.length;
      if (arrived > limit) refuse(tooLarge(limit, setting));
      else chunks.push(chunk);
    });
    const stopCounting = countBody(request, response, refuse);
    refuseLate(signal, refuse);
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', (cause) => reject(clientGone(cause)));
    return promise;
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

function parseJson(body: Buffer, example: string): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch (cause) {
    throw new GatewayError('invalid_json', `${whyNotJson(body)}; send for example ${example}.`, { cause });
  }
}

function whyNotJson(body: Buffer): string {
  if (body.length === 0) return 'The body is empty';
  // RFC 8259, 8.1: senders must not add one.
  const hasMark = body.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
  return hasMark ? 'The body begins with a byte order mark (EF BB BF): leave it out' : 'The body is not JSON in UTF-8';
}
