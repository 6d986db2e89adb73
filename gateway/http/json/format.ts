/** What a protocol says about its JSON: how much of a body is read, and into what; and how an answer is written. */
import { GatewayError } from '../../errors.ts';
import type { JsonLimits } from './scanner.ts';

/** `Options` and `Result` pass between threads: plain data and typed arrays. */
export type JsonFormat<Options, Result> = {
  /** The URL of the module that exports this as `format`: a worker thread imports it again. */
  readonly module: string;
  /** A valid body, for error texts. */
  readonly example: string;
  limits(options: Options): JsonLimits;
  /** Parses the text of a body. Throws SyntaxError, or GatewayErrors without a cause. Unset: JSON.parse. */
  parse?(text: string, options: Options): unknown;
  /** Makes the result of the parsed body. Throws GatewayErrors without a cause. */
  read(value: unknown, options: Options): Result;
  /** The memory of the result that moves between threads. The rest is copied, on the main thread too: keep it small. */
  memory(result: Result): readonly ArrayBuffer[];
};

/** How a value is written as JSON. `Value` passes between threads. */
export type JsonText<Value> = {
  /** The URL of the module that exports this as `text`: a worker thread imports it again. */
  readonly module: string;
  /** About the bytes of the value: large ones are written in the worker. */
  bytes(value: Value): number;
  /** The memory of the value, which is moved. */
  memory(value: Value): readonly ArrayBuffer[];
  /** Adds the text piece by piece. Throws GatewayErrors without a cause. */
  write(value: Value, add: (piece: string) => void): void;
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** The text of a body. Throws `invalid_json` for bytes that are not UTF-8, and for a byte order mark. */
export function decodeJson(body: Uint8Array, example: string): string {
  // RFC 8259, 8.1: senders must not add one.
  if (BYTE_ORDER_MARK.equals(body.subarray(0, BYTE_ORDER_MARK.length))) {
    throw notJson('The body begins with a byte order mark (EF BB BF): leave it out', example);
  }
  try {
    return utf8.decode(body);
  } catch (cause) {
    throw notJson('The body is not JSON in UTF-8', example, cause);
  }
}

/** Parses the text and reads it. Throws `invalid_json`, and what the format throws. */
export function readJson<Options, Result>(text: string, format: JsonFormat<Options, Result>, options: Options): Result {
  return format.read(parse(text, format, options), options);
}

function parse<Options, Result>(text: string, format: JsonFormat<Options, Result>, options: Options): unknown {
  try {
    return format.parse ? format.parse(text, options) : JSON.parse(text);
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw notJson(text === '' ? 'The body is empty' : 'The body is not JSON in UTF-8', format.example, cause);
  }
}

function notJson(what: string, example: string, cause?: unknown): GatewayError {
  return new GatewayError('invalid_json', `${what}; send for example ${example}.`, { cause });
}

/** Pieces are encoded together: fewer of them, and never the whole text. */
const PIECE_CHARACTERS = 2 ** 16;
const MAX_ANSWER_BYTES = 2 ** 28;

/** Writes a value as UTF-8. The text is never in the heap as a whole. Throws `model_failed` for 256 MiB, and what `write` throws. */
export function writeText<Value>(text: JsonText<Value>, value: Value): Uint8Array<ArrayBuffer> {
  const encoded: Uint8Array[] = [];
  let length = 0;
  let pending = '';
  const flush = () => {
    const bytes = Buffer.from(pending);
    pending = '';
    length += bytes.length;
    if (length > MAX_ANSWER_BYTES) throw new GatewayError('model_failed', 'The answer is too large for JSON.');
    encoded.push(bytes);
  };
  text.write(value, (piece) => {
    pending += piece;
    if (pending.length >= PIECE_CHARACTERS) flush();
  });
  flush();
  const whole = new Uint8Array(length);
  let at = 0;
  for (const bytes of encoded) {
    whole.set(bytes, at);
    at += bytes.length;
  }
  return whole;
}
