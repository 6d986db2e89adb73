/** Reads bits from the most significant one on, as AV1's syntax tables do (AV1 specification, 4.10). */
export class BitReader {
  readonly #bytes: DataView;
  #at: number;

  /** `offset`: of the first byte. */
  constructor(bytes: DataView, offset: number) {
    this.#bytes = bytes;
    this.#at = 8 * offset;
  }

  /** An unsigned number of up to 32 bits: f(n). */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.#at++) {
      value = 2 * value + ((this.#bytes.getUint8(this.#at >> 3) >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** An unsigned number of variable length: uvlc(). */
  uvlc(): number {
    let zeros = 0;
    while (!this.flag() && zeros < 32) zeros += 1;
    return zeros >= 32 ? 2 ** 32 - 1 : this.bits(zeros) + 2 ** zeros - 1;
  }
}
