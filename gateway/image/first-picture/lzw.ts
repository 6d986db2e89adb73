/** Counts the pixels in the LZW data of a GIF (GIF89a, appendix F), without decoding them. */

const MAX_CODES = 4096;

/**
 * Where the data blocks end that give `pixels` pixels: the offset after the last one of them. Undefined when the data is
 * damaged or ends before.
 * @param offset Of the byte with the smallest code size, before the first block.
 */
export function endOfPixels(bytes: Uint8Array, offset: number, pixels: number): number | undefined {
  const count = createCounter(bytes[offset] ?? 0);
  let at = offset + 1;
  for (let size = bytes[at] ?? 0; size > 0; size = bytes[at] ?? 0) {
    const end = at + 1 + size;
    if (end > bytes.length) return undefined;
    const counted = count(bytes.subarray(at + 1, end));
    if (counted === undefined) return undefined;
    at = end;
    if (counted >= pixels) return at;
  }
  return undefined;
}

/** Returns a function that takes block by block and gives the pixels so far; undefined for a code that is not known. */
function createCounter(smallestSize: number): (block: Uint8Array) => number | undefined {
  const clear = 1 << smallestSize;
  const lengths = new Uint16Array(MAX_CODES).fill(1);
  let next = clear + 2;
  let size = smallestSize + 1;
  let previous = -1;
  let buffer = 0;
  let buffered = 0;
  let pixels = 0;
  let isDone = false;

  function take(code: number): boolean {
    if (code === clear) {
      next = clear + 2;
      size = smallestSize + 1;
      previous = -1;
      return true;
    }
    if (code === clear + 1) isDone = true;
    if (isDone) return true;
    if (code > next || (previous < 0 && code > clear)) return false;
    if (previous >= 0 && next < MAX_CODES) {
      lengths[next] = (lengths[previous] as number) + 1;
      next += 1;
      if (next === 1 << size && size < 12) size += 1;
    }
    pixels += lengths[code] as number;
    previous = code;
    return true;
  }

  return (block) => {
    for (const byte of block) {
      buffer |= byte << buffered;
      buffered += 8;
      while (buffered >= size) {
        const code = buffer & ((1 << size) - 1);
        buffer >>>= size;
        buffered -= size;
        if (!take(code)) return undefined;
      }
    }
    return pixels;
  };
}
