/** Reads a TensorProto of a response into plain numbers, in any of its encodings. */

import type { DType, OutputTensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { numericType } from './dtype.ts';
import { splitStrings } from './string-list.ts';

/** TensorProto as proto-loader gives it: keepCase, enums as names, longs as numbers, defaults filled in. */
export type TensorProto = {
  readonly dtype: DType | number;
  readonly tensor_shape: { readonly dim: readonly { readonly size: number }[]; readonly unknown_rank: boolean } | null;
  readonly tensor_content: Uint8Array;
  readonly float_val: readonly number[];
  readonly double_val: readonly number[];
  readonly half_val: readonly number[];
  readonly int_val: readonly number[];
  readonly int64_val: readonly number[];
  readonly bool_val: readonly boolean[];
  readonly uint32_val: readonly number[];
  readonly uint64_val: readonly number[];
  readonly string_val: readonly Uint8Array[];
};

/** The number of elements that may still be filled in. Shared by the tensors of a response. */
export type FillBudget = { elements: number };

/** A response may omit repeated elements. The limit keeps a few bytes from allocating gigabytes. */
export const createFillBudget = (): FillBudget => ({ elements: 2 ** 24 });

/**
 * Reads one tensor, as tensor.proto defines it: `tensor_content` if present, otherwise the dtype's list. A list shorter
 * than the shape repeats its last value; an empty list means zeros. Returns undefined for types that are neither
 * numbers nor strings (complex, quantised, resources). Throws `model_failed` when values and shape do not fit.
 */
export function readTensor(proto: TensorProto, budget: FillBudget): OutputTensor | undefined {
  const dtype = String(proto.dtype);
  if (dtype === 'DT_STRING') return readStrings(proto, budget);
  const type = numericType(dtype);
  if (!type) return undefined;
  const shape = shapeOf(proto);
  const count = countOf(shape);
  const { tensor_content: content } = proto;
  if (content.length > 0) {
    if (content.length !== count * type.elementBytes) throw misfit(`${content.length} bytes of ${dtype}`, shape);
    // Copied: typed arrays need an aligned start, and a view would keep the whole response in memory.
    return { dtype, shape, values: type.read(new Uint8Array(content).buffer) };
  }
  const list: readonly (number | boolean)[] = proto[type.list];
  const values = type.listHoldsBits ? type.read(Uint16Array.from(list, Number).buffer) : list.map(Number);
  return { dtype, shape, values: fill(values, { count, zero: 0, budget, make: (length) => new Float64Array(length) }) };
}

function readStrings(proto: TensorProto, budget: FillBudget): OutputTensor {
  const shape = shapeOf(proto);
  const count = countOf(shape);
  const { tensor_content: content, string_val: list } = proto;
  const zero = new Uint8Array();
  const strings =
    content.length > 0
      ? splitStrings(content, count)
      : fill(list, { count, zero, budget, make: (length) => new Array<Uint8Array>(length) });
  if (!strings) throw misfit(`${content.length} bytes of strings`, shape);
  return { dtype: 'DT_STRING', shape, values: [], strings };
}

function shapeOf({ tensor_shape: shape }: TensorProto): readonly number[] {
  const sizes = shape && !shape.unknown_rank ? shape.dim.map(({ size }) => size) : [];
  if (!shape?.unknown_rank && sizes.every((size) => size >= 0)) return sizes;
  throw misfit('values', shape?.unknown_rank ? null : sizes);
}

function countOf(shape: readonly number[]): number {
  const count = shape.reduce((product, size) => product * size, 1);
  if (Number.isSafeInteger(count)) return count;
  throw misfit('values', shape);
}

type Filling<T> = {
  readonly count: number;
  readonly zero: T;
  readonly budget: FillBudget;
  readonly make: (count: number) => { [index: number]: T; readonly length: number; fill(value: T): unknown };
};

function fill<T>(values: ArrayLike<T>, { count, zero, budget, make }: Filling<T>): ArrayLike<T> {
  const missing = count - values.length;
  if (missing === 0) return values;
  if (missing < 0 || missing > budget.elements) throw misfit(`${values.length} values`, [count]);
  budget.elements -= missing;
  const filled = make(count);
  filled.fill(values[values.length - 1] ?? zero);
  for (let index = 0; index < values.length; index += 1) filled[index] = values[index] as T;
  return filled;
}

function misfit(got: string, shape: readonly number[] | null): GatewayError {
  return new GatewayError('model_failed', 'The model answered with a tensor that does not fit its own shape.', {
    cause: new Error(`${got} in a tensor of shape ${shape === null ? 'unknown' : `[${shape}]`}`),
  });
}
