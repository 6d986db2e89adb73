/**
 * Writes protobuf from the end of a buffer to its start. So the length of every field is known before it is written.
 */

import { LENGTH_DELIMITED, VARINT } from './field-reader.ts';

export class BackwardWriter {
  readonly #buffer: Uint8Array;
  #start: number;

  /** Writes the bytes before `end`. The caller makes the buffer large enough. */
  constructor(buffer: Uint8Array, end: number) {
    this.#buffer = buffer;
    this.#start = end;
  }

  /** The position of the first byte written so far. */
  get start(): number {
    return this.#start;
  }

  /** Writes an integer from 0 to 2^53 - 1. */
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

  /** Writes an integer from 0 to 2^53 - 1 without a tag: a value of a packed list. */
  varint(value: number): void {
    const higher = Math.floor(value / 128);
    if (higher > 0) this.varint(higher);
    this.#start -= 1;
    this.#buffer[this.#start] = (value % 128) + (higher > 0 ? 128 : 0);
  }
}
