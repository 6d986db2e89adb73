/** An LRU cache of resampling tables with a limit on their bytes. */

type Sized = { readonly bytes: number };

/** Returns the table of a key; makes it when it is not cached. */
export type TableCache<T extends Sized> = (key: string, make: () => T) => T;

/** Makes a cache that evicts the least recently used tables while all of them take more than `maxBytes`. */
export function createTableCache<T extends Sized>(maxBytes: number): TableCache<T> {
  const tables = new Map<string, T>(); // a Map iterates in insertion order: least recently used first
  let bytes = 0;
  return (key, make) => {
    const kept = tables.get(key);
    const table = kept ?? make();
    if (kept) tables.delete(key);
    else bytes += table.bytes;
    tables.set(key, table);
    for (const [oldest, { bytes: freed }] of tables) {
      if (bytes <= maxBytes) break;
      tables.delete(oldest);
      bytes -= freed;
    }
    return table;
  };
}
