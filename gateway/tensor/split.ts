/** Tensors as the rows of their first axis. */
import type { Tensor } from '../domain/tensor.ts';

/** The rows of a tensor whose first axis is the batch; they share its memory. Undefined for another number of rows. */
export function splitRows(tensor: Tensor, count: number): Tensor[] | undefined {
  const [rows, ...shape] = tensor.shape;
  if (rows !== count) return undefined;
  return Array.from({ length: count }, (_, row): Tensor => {
    if ('strings' in tensor) {
      const length = tensor.strings.length / count;
      return { ...tensor, shape, strings: tensor.strings.slice(row * length, (row + 1) * length) };
    }
    const length = tensor.bytes.length / count;
    return { ...tensor, shape, bytes: tensor.bytes.subarray(row * length, (row + 1) * length) };
  });
}

/** The inverse: rows of the same type and shape as one tensor. Undefined where they differ. */
export function joinRows(rows: readonly Tensor[]): Tensor | undefined {
  const [first] = rows;
  if (!first || rows.some((row) => row.dtype !== first.dtype || String(row.shape) !== String(first.shape))) {
    return undefined;
  }
  const shape = [rows.length, ...first.shape];
  if ('strings' in first) {
    return { dtype: first.dtype, shape, strings: rows.flatMap((row) => ('strings' in row ? row.strings : [])) };
  }
  const bytes = new Uint8Array(rows.length * first.bytes.length);
  for (const [index, row] of rows.entries()) if ('bytes' in row) bytes.set(row.bytes, index * first.bytes.length);
  return { dtype: first.dtype, shape, bytes };
}
