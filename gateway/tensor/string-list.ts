/** Reads the strings of a DT_STRING tensor from its `tensor_content`. */
import { type Steps, VALUES_OF_STEP } from '../domain/steps.ts';
import type { StringTensor } from '../domain/tensor.ts';

/** A varint of a 32-bit number has at most five bytes. */
const MAX_LENGTH_BYTES = 5;

/**
 * Splits `count` strings that TensorFlow joined (EncodeStringList): all lengths as varints, then all bytes, nothing
 * else. Returns undefined for other bytes. The strings share the memory of `content`.
 */
export function* splitStrings(
  content: Uint8Array,
  shape: readonly number[],
  count: number,
): Steps<StringTensor | undefined> {
  // Every length takes at least one byte, so this also limits the work.
  if (count > content.length) return undefined;
  const offsets = new Uint32Array(count + 1);
  let at = 0;
  let end = 0;
  for (let index = 0; index < count; index += 1) {
    let length = 0;
    let bytes = 0;
    do {
      if (at === content.length || bytes === MAX_LENGTH_BYTES) return undefined;
      length += ((content[at] ?? 0) & 127) * 128 ** bytes;
      bytes += 1;
      at += 1;
    } while ((content[at - 1] ?? 0) >= 128);
    end += length;
    if (end > content.length) return undefined;
    offsets[index + 1] = end;
    if (index % VALUES_OF_STEP === VALUES_OF_STEP - 1) yield;
  }
  if (at + end !== content.length) return undefined;
  return { dtype: 'DT_STRING', shape, bytes: content.subarray(at), offsets };
}
