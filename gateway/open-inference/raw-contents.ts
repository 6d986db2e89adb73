/** The elements of an input as bytes: raw contents over gRPC, binary data over REST. */
import { ELEMENTS } from '../domain/elements.ts';
import { inTurns } from '../domain/steps.ts';
import { splitPrefixed } from '../tensor/prefixed-strings.ts';
import { type Contents, wrongTensor } from './message.ts';

/** Contents that are little-endian elements, which are not copied, or strings each after its length. */
export function rawContents(
  bytes: Uint8Array,
  { place, shape }: { readonly place: string; readonly shape: readonly number[] },
): Contents {
  return {
    numbers(dtype, count) {
      const expected = count * ELEMENTS[dtype].BYTES_PER_ELEMENT;
      if (bytes.length === expected) return bytes;
      throw wrongTensor(place, `expected ${expected} bytes for the shape [${shape}], got ${bytes.length}`);
    },
    async strings(count) {
      const strings = await inTurns(splitPrefixed(bytes, shape, count));
      if (strings) return strings;
      throw wrongTensor(place, `expected ${count} strings, each after its length in four bytes (little-endian)`);
    },
  };
}
