/** Strings as the Open Inference Protocol sends them raw: each with its length before it, four bytes, little-endian. */

const LENGTH_BYTES = 4;

/** Splits `count` strings. Undefined for other bytes. The strings are views. */
export function splitPrefixed(bytes: Uint8Array, count: number): Uint8Array[] | undefined {
  // Every string takes its length at least, so this also bounds the work.
  if (count * LENGTH_BYTES > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const strings: Uint8Array[] = [];
  let at = 0;
  while (strings.length < count) {
    if (at + LENGTH_BYTES > bytes.length) return undefined;
    const start = at + LENGTH_BYTES;
    at = start + view.getUint32(at, true);
    if (at > bytes.length) return undefined;
    strings.push(bytes.subarray(start, at));
  }
  return at === bytes.length ? strings : undefined;
}

/** Joins strings. The bytes are copied. */
export function joinPrefixed(strings: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(strings.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  const view = new DataView(joined.buffer);
  let at = 0;
  for (const string of strings) {
    view.setUint32(at, string.length, true);
    joined.set(string, at + LENGTH_BYTES);
    at += LENGTH_BYTES + string.length;
  }
  return joined;
}
