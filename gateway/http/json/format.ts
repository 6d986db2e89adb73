/** What a protocol says about its JSON bodies: how much of it is read, and into what. */
import { GatewayError } from '../../errors.ts';
import type { JsonLimits } from './scanner.ts';

/** `Options` and `Result` pass between threads: plain data and typed arrays. */
export type JsonFormat<Options, Result> = {
  /** The URL of the module that exports this as `format`: a worker thread imports it again. */
  readonly module: string;
  /** A valid body, for error texts. */
  readonly example: string;
  limits(options: Options): JsonLimits;
  /** Parses a text. Default: JSON.parse. Throws SyntaxError. */
  parse?(text: string): unknown;
  /** Makes the result of the parsed body. Throws GatewayErrors without a cause. */
  read(value: unknown, options: Options): Result;
  /** The memory of the result that moves between threads. The rest is copied, on the main thread too: keep it small. */
  memory(result: Result): readonly ArrayBuffer[];
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
  return format.read(parsed(text, format), options);
}

function parsed(
  text: string,
  { parse = JSON.parse, example }: Pick<JsonFormat<never, unknown>, 'parse' | 'example'>,
): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw notJson(text === '' ? 'The body is empty' : 'The body is not JSON in UTF-8', example, cause);
  }
}

function notJson(what: string, example: string, cause?: unknown): GatewayError {
  return new GatewayError('invalid_json', `${what}; send for example ${example}.`, { cause });
}
