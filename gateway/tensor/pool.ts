/** A pool of buffers. Allocating a tensor of over a megabyte for each request would keep the garbage collector busy. */

export type Pool = {
  /** Returns a buffer of this size. It may contain old data. */
  take(bytes: number): ArrayBuffer;
  /** Returns a buffer to the pool. It must not be used afterwards. */
  give(memory: ArrayBuffer): void;
  /** Sets how many bytes of unused memory it keeps. */
  keepAtMost(bytes: number): void;
};

/** A pool that got nothing back for so long keeps nothing. */
const REST_MS = 10_000;

/**
 * Makes a pool that keeps at most `mostBytes` of unused memory, and none after `restMs` without a return. Above that,
 * buffers of the size that was returned least recently are dropped first: that size is no longer in use.
 */
export function createPool(mostBytes: number, restMs = REST_MS): Pool {
  /** In the order of return: the size returned last comes last. */
  const bySize = new Map<number, ArrayBuffer[]>();
  let kept = 0;
  let maxBytes = mostBytes;
  let rest: NodeJS.Timeout | undefined;

  function dropAll(): void {
    bySize.clear();
    kept = 0;
  }

  function pop(size: number, memories: ArrayBuffer[]): ArrayBuffer | undefined {
    const memory = memories.pop();
    if (memory) kept -= size;
    if (memories.length === 0) bySize.delete(size);
    return memory;
  }

  function dropOldest(): void {
    for (const [oldest, memories] of bySize) {
      while (kept > maxBytes && memories.length > 0) pop(oldest, memories);
      if (kept <= maxBytes) return;
    }
  }

  return {
    take: (bytes) => pop(bytes, bySize.get(bytes) ?? []) ?? new ArrayBuffer(bytes),
    give(memory) {
      const size = memory.byteLength;
      if (size > maxBytes) return;
      clearTimeout(rest);
      rest = setTimeout(dropAll, restMs).unref();
      const same = bySize.get(size) ?? [];
      same.push(memory);
      kept += size;
      bySize.delete(size);
      bySize.set(size, same);
      dropOldest();
    },
    keepAtMost(bytes) {
      maxBytes = bytes;
      dropOldest();
    },
  };
}
