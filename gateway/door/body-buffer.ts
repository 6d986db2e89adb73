/** The memory of one body: a buffer that grows in place while the body arrives. */

/** Below it the buffer is copied when it grows. Above it memory is reserved, and only what is used is taken. */
const COPY_BYTES = 16 * 1024;
/** What a larger buffer grows by. */
const STEP_BYTES = 64 * 1024;
const FIRST_BYTES = 256;

/**
 * Collects the pieces of a body. Its memory depends on the length of the body only, not on the number of pieces. Large
 * memory grows without a copy (a resizable ArrayBuffer), so no piece blocks the event loop.
 */
export class BodyBuffer {
  readonly #maxBytes: number;
  readonly #take: (bytes: number) => void;
  #memory = new ArrayBuffer(0);
  #view = new Uint8Array(this.#memory);
  #length = 0;

  /**
   * `maxBytes`: the caller appends no more. `take` is called before memory is taken, and throws where there is none
   * left.
   */
  constructor(maxBytes: number, take: (bytes: number) => void) {
    this.#maxBytes = maxBytes;
    this.#take = take;
  }

  get length(): number {
    return this.#length;
  }

  append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#memory.byteLength) this.#grow(length);
    this.#view.set(piece, this.#length);
    this.#length = length;
  }

  /** The body. It shares the memory of this buffer. */
  bytes(): Buffer {
    return Buffer.from(this.#memory, 0, this.#length);
  }

  /** Gives the memory back at once, without the garbage collector. Call it when `bytes` is not used any more. */
  free(): void {
    this.#memory.transfer(0);
    this.#memory = new ArrayBuffer(0);
    this.#length = 0;
  }

  #grow(needed: number): void {
    const bytes = needed > COPY_BYTES ? Math.ceil(needed / STEP_BYTES) * STEP_BYTES : powerOfTwo(needed);
    const taken = Math.max(needed, Math.min(bytes, this.#maxBytes));
    this.#take(taken - this.#memory.byteLength);
    if (this.#memory.resizable) {
      this.#memory.resize(taken);
      return;
    }
    const held = this.#view.subarray(0, this.#length);
    this.#memory =
      taken > COPY_BYTES
        ? new ArrayBuffer(taken, { maxByteLength: Math.max(taken, this.#maxBytes) })
        : new ArrayBuffer(taken);
    this.#view = new Uint8Array(this.#memory);
    this.#view.set(held);
  }
}

function powerOfTwo(atLeast: number): number {
  let bytes = FIRST_BYTES;
  while (bytes < atLeast) bytes *= 2;
  return bytes;
}
