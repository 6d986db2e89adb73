/** Bounds the bytes that many requests hold in memory together. */

/** The bytes of one request. */
export type ByteShare = {
  /** What it holds. */
  readonly bytes: number;
  /** Counts more bytes. False, and nothing is counted, where they do not fit. */
  take(bytes: number): boolean;
  /** Gives back some of the bytes. */
  give(bytes: number): void;
  /** Gives back all that it took. */
  release(): void;
};

export class ByteBudget {
  readonly maxBytes: number;
  readonly #makeRoom: () => boolean;
  #usedBytes = 0;

  /** `makeRoom`: has some request give back its bytes. False where none can. */
  constructor(maxBytes: number, makeRoom: () => boolean = () => false) {
    this.maxBytes = maxBytes;
    this.#makeRoom = makeRoom;
  }

  /** Opens the share of a request, which holds nothing yet. */
  open(): ByteShare {
    let ownBytes = 0;
    const give = (bytes: number) => {
      this.#usedBytes -= bytes;
      ownBytes -= bytes;
    };
    return {
      get bytes() {
        return ownBytes;
      },
      take: (bytes) => {
        while (this.#usedBytes + bytes > this.maxBytes) if (!this.#makeRoom()) return false;
        this.#usedBytes += bytes;
        ownBytes += bytes;
        return true;
      },
      give,
      release: () => give(ownBytes),
    };
  }
}
