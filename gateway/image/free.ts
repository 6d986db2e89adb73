/** Frees memory outside of the heap at once. The garbage collector frees it late, above all the pixels of sharp. */

/**
 * Frees the buffer of an array, which must not be used afterwards. The next allocation gets memory that is still in the
 * CPU cache.
 */
export function free({ buffer }: { readonly buffer: ArrayBufferLike }): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
