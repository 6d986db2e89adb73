/** Reads the strings of a DT_STRING tensor from its `tensor_content`. */

/** A varint of a 32-bit number has at most five bytes. */
const MAX_LENGTH_BYTES = 5;

/**
 * Splits `count` strings that TensorFlow joined (EncodeStringList): all lengths as varints, then all bytes, nothing
 * else. Returns undefined for other bytes. The strings are views of `content`.
 */
export function splitStrings(content: Uint8Array, count: number): Uint8Array[] | undefined {
  // Every length takes at least one byte, so this also limits the work.
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
