/** Gives memory outside of the heap back at once; the collector notices it late, that of sharp's pixels above all. */

/** Frees the memory behind an array; nobody may touch it afterwards. The next such array finds it still in the cache. */
export function free({ buffer }: { readonly buffer: ArrayBufferLike }): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
