/** The rows of a vertical pass: kept from the first result that reads them to the last one. */

/** For each result the first row that it reads, and how many. First and last rows ascend. */
export type Runs = { readonly starts: Int32Array; readonly counts: Int32Array };

type Rows = Uint8Array | Uint16Array | Float32Array;

export type WindowOptions<S extends Rows> = {
  readonly runs: Runs;
  /** Samples of a row. */
  readonly length: number;
  /** The number of the first row that will come, and the number after the last one. */
  readonly from: number;
  readonly to: number;
  /** Makes the memory of so many samples. */
  readonly allocate: (samples: number) => S;
  /** Computes the results from `begin` on, before `end`. `rows` are packed, the first of them has the number `origin`. */
  readonly compute: (rows: S, origin: number, begin: number, end: number) => void;
};

/** Results are computed together, so that passes prepare the rows that they share only once. */
const TOGETHER = 8;

/** Returns a function that takes the next rows. */
export function createWindow<S extends Rows>(options: WindowOptions<S>) {
  const { runs, length, to, allocate, compute } = options;
  let memory: S | undefined;
  let origin = options.from;
  let kept = 0;
  /** Where the kept rows begin in the memory, in rows. */
  let head = 0;
  let begin = 0;

  function makeRoom(count: number): S {
    const rows = memory ? memory.length / length : 0;
    if (memory && head + kept + count <= rows) return memory;
    const needed = 2 * (kept + count);
    const target = memory && needed <= rows ? memory : allocate(needed * length);
    if (memory) target.set(memory.subarray(head * length, (head + kept) * length));
    head = 0;
    memory = target;
    return target;
  }

  /** The number of results that can be computed. */
  function computable(): number {
    let end = begin;
    while (end < runs.starts.length && lastOf(runs, end) <= origin + kept) end++;
    return end;
  }

  function dropBefore(row: number): void {
    const dropped = Math.min(kept, Math.max(0, row - origin));
    origin += dropped;
    kept -= dropped;
    head += dropped;
  }

  return (data: S, stride: number, count: number) => {
    const rows = makeRoom(count);
    for (let i = 0; i < count; i++) {
      rows.set(data.subarray(i * stride, i * stride + length), (head + kept + i) * length);
    }
    kept += count;
    const end = computable();
    if (end - begin < TOGETHER && origin + kept < to) return;
    if (end === begin) return;
    compute(rows.subarray(head * length, (head + kept) * length) as S, origin, begin, end);
    begin = end;
    if (begin < runs.starts.length) dropBefore(runs.starts[begin] as number);
  };
}

/** The row after the last one that a result reads. */
function lastOf({ starts, counts }: Runs, index: number): number {
  return (starts[index] as number) + (counts[index] as number);
}
