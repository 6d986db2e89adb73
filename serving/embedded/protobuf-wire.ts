/** Reads and writes single fields of protobuf messages, so that a large message need not be decoded as a whole. */

/** Returns the bytes from `at`: `length` of them, or fewer at the end. */
export type Source = (at: number, length: number) => Buffer;

export type Field = {
  readonly number: number;
  /** Where the field begins, with its tag. */
  readonly start: number;
  /** Where the bytes of a length-delimited field begin. */
  readonly body: number;
  readonly end: number;
  /** The value of a varint. undefined for all other fields. */
  readonly varint: number | undefined;
};

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;
/** A tag and a length, both as varints of ten bytes. */
const HEAD_BYTES = 20;

/** The source of a message that is in memory. */
export const inMemory =
  (bytes: Buffer): Source =>
  (at, length) =>
    bytes.subarray(at, at + length);

/**
 * The fields of the message that lies between `start` and `end`, in order.
 * @throws Error `protobuf parsing failed`, the words of ONNX Runtime, if the bytes are not a message
 */
export function* fieldsOf(read: Source, start: number, end: number): Generator<Field> {
  let at = start;
  while (at < end) {
    const head = read(at, Math.min(HEAD_BYTES, end - at));
    const tag = readVarint(head, 0);
    const second = (tag.value & 7) === FIXED32 || (tag.value & 7) === FIXED64 ? undefined : readVarint(head, tag.end);
    const field = fieldAt(at, tag, second);
    if (field.end > end) throw malformed();
    yield field;
    at = field.end;
  }
}

type Varint = { readonly value: number; readonly end: number };

function fieldAt(start: number, tag: Varint, second: Varint | undefined): Field {
  const number = Math.floor(tag.value / 8);
  const type = tag.value & 7;
  const body = start + (second ?? tag).end;
  const size = { [VARINT]: 0, [FIXED64]: 8, [LENGTH_DELIMITED]: second?.value, [FIXED32]: 4 }[type];
  if (size === undefined) throw malformed();
  return { number, start, body, end: body + size, varint: type === VARINT ? second?.value : undefined };
}

/** Values above 2^53, such as negative numbers, lose their last bits. */
function readVarint(bytes: Buffer, start: number): Varint {
  let value = 0;
  for (let at = start; at < Math.min(start + 10, bytes.length); at++) {
    const byte = bytes[at] as number;
    value += (byte & 127) * 2 ** (7 * (at - start));
    if (byte < 128) return { value, end: at + 1 };
  }
  throw malformed();
}

function malformed(): Error {
  return new Error('protobuf parsing failed');
}

/** A field of varint type. @param value 0 to 2^31 - 1 */
export function varintField(number: number, value: number): Buffer {
  return Buffer.from([...varint(number * 8 + VARINT), ...varint(value)]);
}

/** A field that holds bytes, text or a message. */
export function bytesField(number: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as Buffer)));
  return Buffer.concat([Buffer.from([...varint(number * 8 + LENGTH_DELIMITED), ...varint(body.length)]), body]);
}

function varint(value: number): number[] {
  const low = value % 128;
  return value < 128 ? [low] : [low + 128, ...varint(Math.floor(value / 128))];
}
