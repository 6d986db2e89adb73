/** Copies of tensors, for what is kept longer than the request. */
import { stringBytes } from '../domain/strings.ts';
import type { Tensor } from '../domain/tensor.ts';

/** The bytes of the elements. A row of a tensor shares the memory of all rows: only its own part counts. */
export function elementBytes(tensor: Tensor): number {
  return 'offsets' in tensor ? stringBytes(tensor) : tensor.bytes.length;
}

/** The same of all tensors. */
export function tensorBytes(tensors: ReadonlyMap<string, Tensor>): number {
  let sum = 0;
  for (const tensor of tensors.values()) sum += elementBytes(tensor);
  return sum;
}

/** A row of a tensor shares the memory of all rows: only its own part is copied. */
export function copyTensor<Given extends Tensor>(tensor: Given): Given {
  if (!('offsets' in tensor)) return { ...tensor, bytes: new Uint8Array(tensor.bytes) };
  const start = tensor.offsets[0] ?? 0;
  const bytes = new Uint8Array(tensor.bytes.subarray(start, tensor.offsets.at(-1)));
  return { ...tensor, bytes, offsets: tensor.offsets.map((offset) => offset - start) };
}

export function copyTensors(tensors: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  return new Map(Array.from(tensors, ([name, tensor]) => [name, copyTensor(tensor)]));
}
