/** Tensors of strings. All strings are in one buffer, so a million of them are two objects, not a million. */
import type { StringTensor } from './tensor.ts';

/** Collects strings one after the other. */
export class StringBuilder {
  #bytes = Buffer.alloc(0);
  readonly #offsets: Uint32Array;
  #count = 0;
  #end = 0;

  /** Room for `count` strings. */
  constructor(count: number) {
    this.#offsets = new Uint32Array(count + 1);
  }

  get count(): number {
    return this.#count;
  }

  /** Adds a copy of the bytes. */
  add(bytes: Uint8Array): void {
    this.#require(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#close(bytes.length);
  }

  /** Adds text as UTF-8. */
  addText(text: string): void {
    // A UTF-16 code unit takes at most three bytes.
    this.#require(3 * text.length);
    this.#close(this.#bytes.write(text, this.#end));
  }

  /** The tensor. Strings that are missing are empty. */
  tensor(shape: readonly number[]): StringTensor {
    this.#offsets.fill(this.#end, this.#count + 1);
    return {
      dtype: 'DT_STRING',
      shape,
      bytes: new Uint8Array(this.#bytes.subarray(0, this.#end)),
      offsets: this.#offsets,
    };
  }

  #require(length: number): void {
    if (this.#end + length <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(2 * this.#bytes.length + length);
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
  }

  #close(length: number): void {
    this.#end += length;
    this.#count += 1;
    this.#offsets[this.#count] = this.#end;
  }
}

/** Joins strings. They are copied. */
export function stringTensor(shape: readonly number[], strings: readonly Uint8Array[]): StringTensor {
  const builder = new StringBuilder(strings.length);
  for (const string of strings) builder.add(string);
  return builder.tensor(shape);
}

/** The number of strings. */
export function stringCount({ offsets }: StringTensor): number {
  return offsets.length - 1;
}

/** A string by its position. It shares the memory. */
export function stringAt({ bytes, offsets }: StringTensor, index: number): Uint8Array {
  return bytes.subarray(offsets[index], offsets[index + 1]);
}

/** All strings, each as an object: only for few. They share the memory. */
export function stringsOf(tensor: StringTensor): Uint8Array[] {
  return Array.from({ length: stringCount(tensor) }, (_, index) => stringAt(tensor, index));
}

/** The bytes of all strings together. */
export function stringBytes({ offsets }: StringTensor): number {
  return (offsets.at(-1) ?? 0) - (offsets[0] ?? 0);
}
