/** Reads the strings of a DT_STRING whose values are in `tensor_content`. */

/** Varints of 32-bit numbers have five bytes at most. */
const MAX_LENGTH_BYTES = 5;

/**
 * Splits `count` strings as TensorFlow joins them (EncodeStringList): all lengths as varints, then all bytes, nothing
 * else. Returns undefined for bytes that are no such list. The strings are views of `content`.
 */
export function splitStrings(content: Uint8Array, count: number): Uint8Array[] | undefined {
  // Every length takes a byte at least, so this also bounds the work.
  if (count > content.length) return undefined;
  const lengths: number[] = [];
  let at = 0;
  while (lengths.length < count) {
    let length = 0;
    let bytes = 0;
    do {
      if (at === content.length || bytes === MAX_LENGTH_BYTES) return undefined;
      length += ((content[at] ?? 0) & 127) * 128 ** bytes;
      bytes += 1;
      at += 1;
    } while ((content[at - 1] ?? 0) >= 128);
    lengths.push(length);
  }
  const strings = lengths.map((length) => {
    at += length;
    return content.subarray(at - length, at);
  });
  return at === content.length ? strings : undefined;
}
