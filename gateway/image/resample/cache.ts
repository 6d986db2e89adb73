/** Keeps recently used tables, within a bound on their bytes. */

type Sized = { readonly bytes: number };

/** Gives the table of a key, making it when it is not kept. */
export type TableCache<T extends Sized> = (key: string, make: () => T) => T;

/** Makes a cache that drops what was used longest ago as soon as all kept tables together pass `maxBytes`. */
export function createTableCache<T extends Sized>(maxBytes: number): TableCache<T> {
  const tables = new Map<string, T>(); // a Map iterates in the order of insertion: the oldest first
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
