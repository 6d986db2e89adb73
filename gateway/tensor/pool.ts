/** Memory for requests, used again: a tensor of over a megabyte for each request would keep the garbage collector busy. */

export type Pool = {
  /** Memory of this size, with whatever its last user left in it. */
  take(bytes: number): ArrayBuffer;
  /** Takes memory back that nobody reads or writes any more; beyond the pool's bound it is left to the collector. */
  give(memory: ArrayBuffer): void;
};

/** Makes a pool that keeps at most `maxBytes` of unused memory. */
export function createPool(maxBytes: number): Pool {
  const bySize = new Map<number, ArrayBuffer[]>();
  let kept = 0;
  return {
    take(bytes) {
      const memory = bySize.get(bytes)?.pop();
      if (!memory) return new ArrayBuffer(bytes);
      kept -= bytes;
      return memory;
    },
    give(memory) {
      const size = memory.byteLength;
      if (kept + size > maxBytes) return;
      const same = bySize.get(size) ?? [];
      bySize.set(size, same);
      same.push(memory);
      kept += size;
    },
  };
}
