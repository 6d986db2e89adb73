/** Strings as the Open Inference Protocol sends them raw: each with its length before it, four bytes, little-endian. */
import { type Steps, VALUES_OF_STEP } from '../domain/steps.ts';
import { StringBuilder, stringBytes, stringCount } from '../domain/strings.ts';
import type { StringTensor } from '../domain/tensor.ts';

const LENGTH_BYTES = 4;

/** Splits `count` strings, which are copied. Undefined for other bytes. */
export function* splitPrefixed(
  bytes: Uint8Array,
  shape: readonly number[],
  count: number,
): Steps<StringTensor | undefined> {
  // Every string takes its length at least, so this also bounds the work.
  if (count * LENGTH_BYTES > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const strings = new StringBuilder(count);
  let at = 0;
  while (strings.count < count) {
    if (at + LENGTH_BYTES > bytes.length) return undefined;
    const start = at + LENGTH_BYTES;
    at = start + view.getUint32(at, true);
    if (at > bytes.length) return undefined;
    strings.add(bytes.subarray(start, at));
    if (strings.count % VALUES_OF_STEP === 0) yield;
  }
  return at === bytes.length ? strings.tensor(shape) : undefined;
}

/** Joins the strings of a tensor. The bytes are copied. */
export function* joinPrefixed(tensor: StringTensor): Steps<Uint8Array> {
  const { bytes, offsets } = tensor;
  const count = stringCount(tensor);
  const joined = new Uint8Array(LENGTH_BYTES * count + stringBytes(tensor));
  const view = new DataView(joined.buffer);
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    const start = offsets[index] ?? 0;
    const end = offsets[index + 1] ?? 0;
    view.setUint32(at, end - start, true);
    joined.set(bytes.subarray(start, end), at + LENGTH_BYTES);
    at += LENGTH_BYTES + end - start;
    if (index % VALUES_OF_STEP === VALUES_OF_STEP - 1) yield;
  }
  return joined;
}
