/** A request that is filled in place. */
import type { InputArray } from '../../domain/tensor.ts';
import type { Content } from './protocol.ts';

/** Writes the head before the content. Throws RangeError for a number of instances that the request has no room for. */
export type Frame = (memory: ArrayBuffer, content: Omit<Content, 'target'>) => Buffer;

export type PredictRequest = {
  /**
   * The tensor of all `capacity` instances, row-major, written in place. Its first content is undefined. The memory is
   * taken at the first access: a request waits for its images longer than for anything else. Throws RangeError for
   * DT_STRING.
   */
  readonly tensor: InputArray;
  /** Sets an instance of a DT_STRING input. Throws RangeError for other inputs. */
  setString(row: number, bytes: Uint8Array): void;
  /** Copies an instance of another request with the same input to the first row. */
  copyFrom(other: PredictRequest, row: number): void;
  readonly strings: readonly Uint8Array[];
  /** The bytes of the first `count` instances. */
  inputBytes(count: number): number;
  /**
   * The serialized request with the first `count` instances (1 to `capacity`) and gRPC's prefix before it, valid until
   * the next call. A tensor is not copied: it is a view of the same memory.
   */
  framed(count: number): Buffer;
  /** Returns the memory to the pool. Call it once, when nothing reads or writes the memory any more. */
  release(): void;
};
