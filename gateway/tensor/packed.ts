/** The memory of tensors, to move it between threads. */
import { stringBytes } from '../domain/strings.ts';
import type { Tensor } from '../domain/tensor.ts';

/** A tensor that shares its memory with nothing. Copies where it is a part of other memory. */
export function packTensor(tensor: Tensor): Tensor {
  if (!('offsets' in tensor))
    return isWhole(tensor.bytes) ? tensor : { ...tensor, bytes: new Uint8Array(tensor.bytes) };
  const { bytes, offsets } = tensor;
  if (isWhole(bytes) && isWhole(offsets) && stringBytes(tensor) === bytes.length) return tensor;
  const [first = 0] = offsets;
  return {
    ...tensor,
    bytes: new Uint8Array(bytes.subarray(first, offsets.at(-1))),
    offsets: offsets.map((offset) => offset - first),
  };
}

/** The memory of packed tensors. */
export function packedMemory(tensors: readonly Tensor[]): ArrayBuffer[] {
  return tensors.flatMap((tensor) =>
    [tensor.bytes, ...('offsets' in tensor ? [tensor.offsets] : [])].map(({ buffer }) => buffer as ArrayBuffer),
  );
}

function isWhole({ byteLength, buffer }: Uint8Array | Uint32Array): boolean {
  return byteLength === buffer.byteLength;
}
