/** A PredictRequest as bytes: the tensor is written into the memory it is sent from, then the head right before it. */

import type { PredictTarget } from '../../domain/backend.ts';
import { ELEMENTS } from '../../domain/elements.ts';
import { elementCount } from '../../domain/shape.ts';
import type { PixelType } from '../../domain/tensor.ts';
import type { Pool } from '../../tensor/pool.ts';
import { checkCount, frame, maxHeadBytes } from './request-head.ts';
import type { PredictRequest } from './request-type.ts';
import { createStringRequest } from './string-request.ts';
import { checkVersion } from './version.ts';

/** A typed array's offset must be a multiple of its element size; float32 are written in pairs. */
const TENSOR_ALIGNMENT = 8;

/**
 * Makes a PredictRequest with room for `capacity` instances of `target.input.shape`.
 * Throws `invalid_request` for a version that is not a whole number from 0 to 2^53 - 1.
 */
export function createPredictRequest(pool: Pool, target: PredictTarget, capacity: number): PredictRequest {
  checkVersion(target.servable.version);
  const { dtype } = target.input;
  return dtype === 'DT_STRING'
    ? createStringRequest(target, capacity)
    : createTensorRequest(pool, { target, dtype, capacity });
}

type TensorOptions = { readonly target: PredictTarget; readonly dtype: PixelType; readonly capacity: number };

function createTensorRequest(pool: Pool, { target, dtype, capacity }: TensorOptions): PredictRequest {
  const elements = elementCount(target.input.shape);
  const instanceBytes = elements * ELEMENTS[dtype].BYTES_PER_ELEMENT;
  const start = Math.ceil(maxHeadBytes(target) / TENSOR_ALIGNMENT) * TENSOR_ALIGNMENT;
  let memory: ArrayBuffer | undefined;
  const take = () => {
    memory ??= pool.take(start + capacity * instanceBytes);
    return memory;
  };
  const request: PredictRequest = {
    get tensor() {
      return new ELEMENTS[dtype](take(), start, capacity * elements);
    },
    strings: [],
    setString() {
      throw new RangeError(`${dtype} has no strings`);
    },
    copyFrom(other, row) {
      request.tensor.set(other.tensor.subarray(row * elements, (row + 1) * elements));
    },
    inputBytes: (count) => count * instanceBytes,
    framed(count) {
      checkCount(count, capacity);
      return frame(take(), { target, count, start, end: start + count * instanceBytes });
    },
    release() {
      if (memory) pool.give(memory);
    },
  };
  return request;
}
