/** The memory that a tensor of an answer takes beside the answer. */
import { ELEMENTS, type NumericDType } from '../domain/elements.ts';

/** Where each string of a tensor ends. */
const OFFSET_BYTES = Uint32Array.BYTES_PER_ELEMENT;

/** The bytes for `count` elements. `listBytes`: the list that they are read from. Undefined: the tensor is a view of the answer. */
export function ownMemoryBytes(
  dtype: NumericDType | 'DT_STRING',
  count: number,
  listBytes: number | undefined,
): number {
  if (dtype === 'DT_STRING') return OFFSET_BYTES * count + (listBytes ?? 0);
  return listBytes === undefined ? 0 : count * ELEMENTS[dtype].BYTES_PER_ELEMENT;
}
