/**
 * Reads the fields of a serialized protobuf message one after the other, without an object for each: a message of a
 * megabyte may have half a million fields. Encoding: https://protobuf.dev/programming-guides/encoding/.
 */

export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
export const FIXED32 = 5;

const TEXT = new TextDecoder();

/** What the readers of one message may still do, together. It bounds their time, whatever the bytes are. */
export type ReadBudget = { fields: number };

/** The bytes are no protobuf message, or have more fields than the budget. */
export class MalformedMessage extends Error {}

/** A cursor over a message. `next` moves it to a field, whose value the other members give. */
export class FieldReader {
  /** Number and wire type of the field. */
  field = 0;
  wireType = VARINT;
  readonly #bytes: Uint8Array;
  readonly #budget: ReadBudget;
  #view: DataView | undefined;
  #at = 0;
  #start = 0;
  /** The two halves of the last varint. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array, budget: ReadBudget) {
    this.#bytes = bytes;
    this.#budget = budget;
  }

  /** Moves to the next field; false at the end. Throws MalformedMessage. */
  next(): boolean {
    if (this.#at === this.#bytes.length) return false;
    if (this.#budget.fields === 0) throw new MalformedMessage('more fields than such a message may have');
    this.#budget.fields -= 1;
    this.#readVarint();
    this.field = this.#low >>> 3;
    this.wireType = this.#low & 7;
    if (this.field === 0 || this.#high !== 0) throw new MalformedMessage('a field without a number');
    this.#readValue(this.wireType);
    return true;
  }

  /** Moves to the next value of a packed list (the `bytes` of its field); false at the end. Throws MalformedMessage. */
  nextValue(wireType: number): boolean {
    if (this.#at === this.#bytes.length) return false;
    this.wireType = wireType;
    this.#readValue(wireType);
    return true;
  }

  /** The position after the field. */
  get end(): number {
    return this.#at;
  }

  /** The value as int64, the nearest double. */
  get int64(): number {
    this.#require(VARINT);
    return this.#high * 2 ** 32 + this.#low;
  }

  /** The value as uint64, or as the two's complement of an int64, with all its bits. */
  get bigint(): bigint {
    this.#require(VARINT);
    return (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low);
  }

  /** The value as int32 or enum: the low 32 bits. */
  get int32(): number {
    this.#require(VARINT);
    return this.#low | 0;
  }

  get float(): number {
    this.#require(FIXED32);
    return this.#floats().getFloat32(this.#start, true);
  }

  get double(): number {
    this.#require(FIXED64);
    return this.#floats().getFloat64(this.#start, true);
  }

  /** The bytes of a string, a message or a packed list. Not copied. */
  get bytes(): Uint8Array {
    this.#require(LENGTH_DELIMITED);
    return this.#bytes.subarray(this.#start, this.#at);
  }

  get text(): string {
    return TEXT.decode(this.bytes);
  }

  /** A reader of the message that is the value. */
  get message(): FieldReader {
    return new FieldReader(this.bytes, this.#budget);
  }

  #floats(): DataView {
    this.#view ??= new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
    return this.#view;
  }

  #require(wireType: number): void {
    if (this.wireType !== wireType) throw new MalformedMessage(`field ${this.field} has wire type ${this.wireType}`);
  }

  #readValue(wireType: number): void {
    if (wireType === LENGTH_DELIMITED) this.#readVarint();
    this.#start = this.#at;
    if (wireType === VARINT) this.#readVarint();
    else if (wireType === LENGTH_DELIMITED && this.#high === 0) this.#at += this.#low;
    else if (wireType === FIXED32) this.#at += 4;
    else if (wireType === FIXED64) this.#at += 8;
    else throw new MalformedMessage(`field ${this.field} has an unknown wire type or length`);
    if (this.#at > this.#bytes.length) throw new MalformedMessage('the message is cut off');
  }

  /** Seven bits a byte, the lowest first; at most ten bytes, of which the last has one bit. */
  #readVarint(): void {
    let [low, middle, high] = [0, 0, 0];
    for (let count = 0; ; count += 1) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined || count === 10) throw new MalformedMessage('a number does not end');
      this.#at += 1;
      const bits = byte & 127;
      if (count < 4) low |= bits << (7 * count);
      else if (count < 8) middle |= bits << (7 * (count - 4));
      else high |= bits << (7 * (count - 8));
      if (byte < 128) break;
    }
    this.#low = (low | (middle << 28)) >>> 0;
    this.#high = (middle >>> 4) | (high << 24);
  }
}
