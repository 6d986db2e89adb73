/** Inputs with one value for each row, as numbers and text. */
import { numbersOf } from '../domain/elements.ts';
import { stringCount } from '../domain/strings.ts';
import type { Tensor } from '../domain/tensor.ts';

/** Reads the value of a row. Undefined for a tensor that has no value, or several, for a row. */
export function rowValues(tensor: Tensor | undefined, rows: number): ((row: number) => number | string) | undefined {
  if (!tensor) return undefined;
  if ('offsets' in tensor) {
    const { buffer, byteOffset, byteLength } = tensor.bytes;
    const text = Buffer.from(buffer, byteOffset, byteLength);
    if (stringCount(tensor) !== rows) return undefined;
    return (row) => text.toString('utf8', tensor.offsets[row], tensor.offsets[row + 1]);
  }
  const numbers = numbersOf(tensor);
  return numbers.length === rows ? (row) => numbers[row] ?? Number.NaN : undefined;
}
