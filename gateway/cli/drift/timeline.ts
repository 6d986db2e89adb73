/** Counts by hour, or by days, months or years where a log has too many hours: the memory has a bound. */

/** Characters of a time that name its hour, day, month or year. */
const PRECISIONS = [13, 10, 7, 4] as const;
const MAX_PERIODS = 1000;

/** The counts of a period: of each feature, by bucket. */
export type PeriodCounts = { rows: number; readonly counts: readonly number[][] };

export class Timeline {
  readonly #buckets: readonly number[];
  #periods = new Map<string, PeriodCounts>();
  #precision = 0;

  /** `buckets`: how many each feature has. */
  constructor(buckets: readonly number[]) {
    this.#buckets = buckets;
  }

  /** The counts of the period that has the time, such as 2026-11-30T15:20:17.135Z. */
  at(time: string): PeriodCounts {
    for (;;) {
      const name = time.slice(0, PRECISIONS[this.#precision]);
      const known = this.#periods.get(name);
      if (known) return known;
      if (this.#periods.size < MAX_PERIODS || this.#precision === PRECISIONS.length - 1) {
        const made = { rows: 0, counts: this.#buckets.map((count) => new Array<number>(count).fill(0)) };
        this.#periods.set(name, made);
        return made;
      }
      this.#coarsen();
    }
  }

  /** The periods in the order of time, by their names: 2026-11-30T15 is an hour, 2026-11-30 a day. */
  get periods(): readonly (readonly [name: string, counts: PeriodCounts])[] {
    return [...this.#periods].sort(([one], [other]) => (one < other ? -1 : 1));
  }

  #coarsen(): void {
    const before = this.#periods;
    this.#precision += 1;
    this.#periods = new Map();
    for (const [name, { rows, counts }] of before) {
      const sum = this.at(name);
      sum.rows += rows;
      for (const [index, own] of counts.entries()) addTo(sum.counts[index] ?? [], own);
    }
  }
}

function addTo(sum: number[], counts: readonly number[]): void {
  for (const [index, count] of counts.entries()) sum[index] = (sum[index] ?? 0) + count;
}
