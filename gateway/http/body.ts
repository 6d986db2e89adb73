/** Reads a request's body into memory, up to the limits. */

import type { HoldBody } from '../door/body-memory.ts';
import { GatewayError } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import { type Form, type FormLimits, openForm } from './form.ts';
import type { JsonCodec } from './json/codec.ts';
import type { JsonFormat } from './json/format.ts';
import { JsonScanner } from './json/scanner.ts';
import { receiveBody } from './receive.ts';

export type BodyLimits = FormLimits & {
  readonly maxBodyBytes: number;
  /** Bounds all bodies together. */
  readonly hold: HoldBody;
  readonly codec: JsonCodec;
};

export type BodyReader = {
  json<Options, Result>(exchange: Exchange, format: JsonFormat<Options, Result>, options: Options): Promise<Result>;
  /** JSON of `jsonBytes`, and what is behind it. Throws `invalid_request` for a body that is shorter. */
  jsonThenBytes<Options, Result>(
    exchange: Exchange,
    jsonBytes: number,
    format: JsonFormat<Options, Result>,
    options: Options,
  ): Promise<{ readonly json: Result; readonly bytes: Buffer }>;
  image(exchange: Exchange): Promise<Buffer>;
  form(exchange: Exchange): Promise<Form>;
};

/**
 * Creates the readers of the three kinds of body. They throw the errors of receiveBody; `invalid_json` and those of the
 * format; `invalid_request` for a malformed form.
 */
export function createBodyReader(limits: BodyLimits): BodyReader {
  const { hold, codec, maxBodyBytes, maxImageBytes, maxInstances } = limits;
  const whole = { maxBytes: maxBodyBytes, setting: 'MAX_BODY_BYTES' };
  const image = maxImageBytes < maxBodyBytes ? { maxBytes: maxImageBytes, setting: 'MAX_IMAGE_BYTES' } : whole;
  return {
    async json(exchange, format, options) {
      const scanner = new JsonScanner({ ...format.limits(options), maxHeapBytes: codec.maxHeapBytes });
      const onPiece = (piece: Buffer) => scanner.feed(piece);
      const body = await receiveBody(exchange, { ...whole, held: hold(exchange.response), onPiece });
      return codec.read({ body, values: scanner.values }, format, options, exchange.signal);
    },
    async jsonThenBytes(exchange, jsonBytes, format, options) {
      const scanner = new JsonScanner({ ...format.limits(options), maxHeapBytes: codec.maxHeapBytes });
      let left = jsonBytes;
      const onPiece = (piece: Buffer) => {
        if (left > 0) scanner.feed(piece.subarray(0, left));
        left -= piece.length;
      };
      const held = hold(exchange.response);
      const body = await receiveBody(exchange, { ...whole, held, onPiece });
      if (left > 0) {
        const detail = `The body has ${body.length} bytes, and its JSON should have ${jsonBytes}.`;
        throw new GatewayError('invalid_request', detail);
      }
      held.take(jsonBytes);
      // A copy: the memory of large JSON is moved to the worker.
      const text = Buffer.from(new Uint8Array(body.subarray(0, jsonBytes)).buffer);
      const received = { body: text, values: scanner.values };
      return { json: await codec.read(received, format, options, exchange.signal), bytes: body.subarray(jsonBytes) };
    },
    image: (exchange) => receiveBody(exchange, { ...image, held: hold(exchange.response) }),
    async form(exchange) {
      const readForm = openForm(exchange.request.headers, { maxImageBytes, maxInstances });
      const held = hold(exchange.response);
      return readForm(await receiveBody(exchange, { ...whole, held }), held.take);
    },
  };
}
