/** Tensors as they pass between threads: a few buffers that are moved, however many strings there are. */
import type { Tensor } from '../domain/tensor.ts';

type Numbers = Extract<Tensor, { bytes: unknown }>;

/** Strings one after the other in `bytes`, with the length of each. */
export type PackedTensor = (Numbers | (Omit<Numbers, 'dtype'> & { readonly dtype: 'DT_STRING' })) & {
  readonly lengths?: Uint32Array;
};

/** Packs a tensor into memory that can be moved. Copies where the tensor is a part of other memory. */
export function packTensor(tensor: Tensor): PackedTensor {
  if ('strings' in tensor) {
    const { dtype, shape, strings } = tensor;
    return {
      dtype,
      shape,
      bytes: new Uint8Array(Buffer.concat(strings)),
      lengths: Uint32Array.from(strings, lengthOf),
    };
  }
  const { bytes } = tensor;
  const isWhole = bytes.length === bytes.buffer.byteLength;
  return isWhole ? tensor : { ...tensor, bytes: new Uint8Array(bytes) };
}

/** The tensor. It shares the memory. */
export function unpackTensor({ lengths, ...packed }: PackedTensor): Tensor {
  if (!lengths) return packed as Tensor;
  let end = 0;
  const strings = Array.from(lengths, (length) => {
    end += length;
    return packed.bytes.subarray(end - length, end);
  });
  return { dtype: 'DT_STRING', shape: packed.shape, strings };
}

/** The memory of packed tensors, to move it. */
export function packedMemory(tensors: readonly PackedTensor[]): ArrayBuffer[] {
  return tensors.flatMap(({ bytes, lengths }) =>
    [bytes, ...(lengths ? [lengths] : [])].map(({ buffer }) => buffer as ArrayBuffer),
  );
}

function lengthOf({ length }: Uint8Array): number {
  return length;
}
