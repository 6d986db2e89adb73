/** Memory for requests, used again: a tensor of over a megabyte for each request would keep the garbage collector busy. */

export type Pool = {
  /** Memory of this size, with whatever its last user left in it. */
  take(bytes: number): ArrayBuffer;
  /** Takes memory back that nobody reads or writes any more. */
  give(memory: ArrayBuffer): void;
};

/**
 * Makes a pool that keeps at most `maxBytes` of unused memory. What is beyond is left to the collector: of the size that was
 * given back longest ago, so that sizes which are asked for no more make room.
 */
export function createPool(maxBytes: number): Pool {
  /** The size given back last comes last. */
  const bySize = new Map<number, ArrayBuffer[]>();
  let kept = 0;

  function pop(size: number, memories: ArrayBuffer[]): ArrayBuffer | undefined {
    const memory = memories.pop();
    if (memory) kept -= size;
    if (memories.length === 0) bySize.delete(size);
    return memory;
  }

  return {
    take: (bytes) => pop(bytes, bySize.get(bytes) ?? []) ?? new ArrayBuffer(bytes),
    give(memory) {
      const size = memory.byteLength;
      if (size > maxBytes) return;
      const same = bySize.get(size) ?? [];
      same.push(memory);
      kept += size;
      bySize.delete(size);
      bySize.set(size, same);
      for (const [oldest, memories] of bySize) {
        while (kept > maxBytes && memories.length > 0) pop(oldest, memories);
        if (kept <= maxBytes) return;
      }
    },
  };
}
