/** Writes protobuf from the end of a buffer towards its start, so that every length is known when it is to be written. */

/** Wire types; see https://protobuf.dev/programming-guides/encoding/. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;

export class BackwardWriter {
  readonly #buffer: Uint8Array;
  #start: number;

  /** Writes right before `end`. The caller sees to it that there is room. */
  constructor(buffer: Uint8Array, end: number) {
    this.#buffer = buffer;
    this.#start = end;
  }

  /** Where what was written begins. */
  get start(): number {
    return this.#start;
  }

  /** A whole number from 0 to 2^53 - 1. */
  varintField(field: number, value: number): void {
    this.#varint(value);
    this.#varint(field * 8 + VARINT);
  }

  /** A string or bytes. */
  bytesField(field: number, bytes: Uint8Array): void {
    this.#start -= bytes.length;
    this.#buffer.set(bytes, this.#start);
    this.header(field, bytes.length);
  }

  /** A message with the fields that `write` writes and, behind them, whatever stands before `end` already. */
  messageField(field: number, write: () => void, end: number = this.#start): void {
    write();
    this.header(field, end - this.#start);
  }

  /** Tag and length of a field whose `length` bytes stand right behind already. */
  header(field: number, length: number): void {
    this.#varint(length);
    this.#varint(field * 8 + LENGTH_DELIMITED);
  }

  #varint(value: number): void {
    const higher = Math.floor(value / 128);
    if (higher > 0) this.#varint(higher);
    this.#start -= 1;
    this.#buffer[this.#start] = (value % 128) + (higher > 0 ? 128 : 0);
  }
}
