/** A request of one input as bytes: the tensor is written into the memory it is sent from, then the head right before it. */

import type { PredictTarget } from '../../domain/backend.ts';
import { ELEMENTS } from '../../domain/elements.ts';
import { elementCount } from '../../domain/shape.ts';
import type { PixelType } from '../../domain/tensor.ts';
import { BackwardWriter } from '../../tensor/backward-writer.ts';
import type { Pool } from '../../tensor/pool.ts';
import { prefixed } from './framing.ts';
import type { Content, PredictMessages } from './protocol.ts';
import { maxHeadBytes } from './request-size.ts';
import type { Frame, PredictRequest } from './request-type.ts';
import { createStringRequest } from './string-request.ts';
import { checkVersion } from './version.ts';

/** A typed array's offset must be a multiple of its element size; float32 are written in pairs. */
const TENSOR_ALIGNMENT = 8;

/** The parts of PredictMessages that write a request of one input. */
export type InputMessages = Pick<PredictMessages, 'writeHead' | 'writeString'>;

/**
 * Makes a request with room for `capacity` instances of `target.input.shape`.
 * Throws `invalid_request` for a version that is not a whole number from 0 to 2^53 - 1.
 */
export function createPredictRequest(
  messages: InputMessages,
  pool: Pool,
  target: PredictTarget,
  capacity: number,
): PredictRequest {
  checkVersion(target.servable.version);
  const { dtype } = target.input;
  const framed: Frame = (memory, content) => frame(messages, memory, { ...content, target }, capacity);
  return dtype === 'DT_STRING'
    ? createStringRequest(messages, framed, target)
    : createTensorRequest({ pool, framed, target, dtype, capacity });
}

/** Writes the head before the content. Throws RangeError for a number of instances that the request has no room for. */
function frame({ writeHead }: InputMessages, memory: ArrayBuffer, content: Content, capacity: number): Buffer {
  const { count, start, end } = content;
  if (!Number.isInteger(count) || count < 1 || count > capacity) {
    throw new RangeError(`${count} instances in a request with room for 1 to ${capacity}`);
  }
  const writer = new BackwardWriter(new Uint8Array(memory), start);
  writeHead(writer, content);
  return prefixed(memory, writer.start, end);
}

type TensorOptions = {
  readonly pool: Pool;
  readonly framed: Frame;
  readonly target: PredictTarget;
  readonly dtype: PixelType;
  readonly capacity: number;
};

function createTensorRequest({ pool, framed, target, dtype, capacity }: TensorOptions): PredictRequest {
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
    framed: (count) => framed(take(), { count, start, end: start + count * instanceBytes }),
    release() {
      if (memory) pool.give(memory);
    },
  };
  return request;
}
