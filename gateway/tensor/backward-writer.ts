/**
 * Writes protobuf from the end of a buffer to its start. So the length of every field is known before it is written.
 */

import { LENGTH_DELIMITED, VARINT } from './field-reader.ts';

export class BackwardWriter {
  readonly #buffer: Uint8Array;
  readonly #end: number;
  #start: number;

  /** Writes the bytes before `end`. The caller makes the buffer large enough. */
  constructor(buffer: Uint8Array, end: number) {
    this.#buffer = buffer;
    this.#end = end;
    this.#start = end;
  }

  /** The position of the first byte written so far. */
  get start(): number {
    return this.#start;
  }

  /** What is written so far. It shares the memory. */
  get written(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Writes an integer from -2^53 + 1 to 2^53 - 1. */
  varintField(field: number, value: number): void {
    this.varint(value);
    this.varint(field * 8 + VARINT);
  }

  /** Writes a string or bytes. */
  bytesField(field: number, bytes: Uint8Array): void {
    this.bytes(bytes);
    this.header(field, bytes.length);
  }

  /** Writes bytes as they are. */
  bytes(bytes: Uint8Array): void {
    this.#start -= bytes.length;
    this.#buffer.set(bytes, this.#start);
  }

  /** Writes a message: the fields that `write` writes, followed by the bytes already written before `end`. */
  messageField(field: number, write: () => void, end: number = this.#start): void {
    write();
    this.header(field, end - this.#start);
  }

  /** Writes tag and length of a field whose `length` bytes are already written. */
  header(field: number, length: number): void {
    this.varint(length);
    this.varint(field * 8 + LENGTH_DELIMITED);
  }

  /** Writes an integer without a tag: a value of a packed list. A negative one is its two's complement of 64 bits. */
  varint(value: number): void {
    if (value < 0) this.#negative(BigInt.asUintN(64, BigInt(value)));
    else this.#positive(value);
  }

  #positive(value: number): void {
    const higher = Math.floor(value / 128);
    if (higher > 0) this.#positive(higher);
    this.#start -= 1;
    this.#buffer[this.#start] = (value % 128) + (higher > 0 ? 128 : 0);
  }

  /** Ten bytes, of which the last has the highest bit. */
  #negative(bits: bigint): void {
    for (let byte = 9n; byte >= 0n; byte -= 1n) {
      this.#start -= 1;
      this.#buffer[this.#start] = Number((bits >> (7n * byte)) & 127n) + (byte < 9n ? 128 : 0);
    }
  }
}
