/** Rows of a tensor. */

import { ELEMENTS, isNumeric } from '../domain/elements.ts';
import { elementCount } from '../domain/shape.ts';
import { stringsOf, stringTensor } from '../domain/strings.ts';
import type { Tensor } from '../domain/tensor.ts';

/** `count` rows from `start` on, without a copy. The first axis is the rows. */
export function rowsOf(tensor: Tensor, start: number, count: number): Tensor {
  const [, ...axes] = tensor.shape;
  const shape = [count, ...axes];
  const length = elementCount(axes);
  if ('offsets' in tensor) {
    return { ...tensor, shape, offsets: tensor.offsets.subarray(start * length, (start + count) * length + 1) };
  }
  const rowBytes = isNumeric(tensor.dtype) ? length * ELEMENTS[tensor.dtype].BYTES_PER_ELEMENT : 0;
  return { ...tensor, shape, bytes: tensor.bytes.subarray(start * rowBytes, (start + count) * rowBytes) };
}

/** Each row without the first axis. They share the memory of the tensor. Undefined for another number of rows. */
export function splitRows(tensor: Tensor, count: number): Tensor[] | undefined {
  const [rows, ...shape] = tensor.shape;
  if (rows !== count) return undefined;
  return Array.from({ length: count }, (_, row) => ({ ...rowsOf(tensor, row, 1), shape }));
}

/** The inverse: rows of the same type and shape as one tensor. Undefined where they differ. */
export function joinRows(rows: readonly Tensor[]): Tensor | undefined {
  const [first] = rows;
  if (!first || rows.some((row) => row.dtype !== first.dtype || String(row.shape) !== String(first.shape))) {
    return undefined;
  }
  const shape = [rows.length, ...first.shape];
  if ('offsets' in first)
    return stringTensor(
      shape,
      rows.flatMap((row) => ('offsets' in row ? stringsOf(row) : [])),
    );
  const bytes = new Uint8Array(rows.length * first.bytes.length);
  for (const [index, row] of rows.entries()) if ('bytes' in row) bytes.set(row.bytes, index * first.bytes.length);
  return { dtype: first.dtype, shape, bytes };
}
