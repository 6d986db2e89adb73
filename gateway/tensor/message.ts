/** Writes small protobuf messages, field by field. */
import { BackwardWriter } from './backward-writer.ts';

/** A tag (field numbers are below 16) and a varint. */
const HEAD_BYTES = 11;

/** A field: bytes (a message or a packed list), text, or an integer from -2^53 + 1 to 2^53 - 1. */
export type Field = readonly [number: number, value: Uint8Array | string | number];

/** The message with these fields, in their order. */
export function message(fields: readonly Field[]): Uint8Array {
  const values = fields.map(
    ([number, value]) => [number, typeof value === 'string' ? Buffer.from(value) : value] as const,
  );
  const length = (value: Uint8Array | number) => HEAD_BYTES + (typeof value === 'number' ? 0 : value.length);
  const most = values.reduce((sum, [, value]) => sum + length(value), 0);
  const memory = new Uint8Array(most);
  const writer = new BackwardWriter(memory, most);
  for (const [number, value] of values.toReversed()) {
    if (typeof value === 'number') writer.varintField(number, value);
    else writer.bytesField(number, value);
  }
  return writer.written;
}

/** Tag and length of a field whose bytes follow. */
export function fieldHead(number: number, length: number): Uint8Array {
  const memory = new Uint8Array(HEAD_BYTES);
  const writer = new BackwardWriter(memory, HEAD_BYTES);
  writer.header(number, length);
  return writer.written;
}

/** Integers as a packed list of varints; negative ones as their two's complement of 64 bits. */
export function packedVarints(values: ArrayLike<number | bigint>): Uint8Array {
  const bytes: number[] = [];
  for (const value of Array.from(values)) {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    bytes.push(Number(rest));
  }
  return Uint8Array.from(bytes);
}
