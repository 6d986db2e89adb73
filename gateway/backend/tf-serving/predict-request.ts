/** A PredictRequest as bytes: the tensor is written into the memory it is sent from, then the head right before it. */
import type { PredictTarget } from '../../domain/backend.ts';
import { BackwardWriter } from '../../tensor/backward-writer.ts';
import { NUMERIC_TYPES } from '../../tensor/dtype.ts';
import type { Pool } from '../../tensor/pool.ts';
import { checkVersion } from './version.ts';

/** A typed array's offset must be a multiple of its element size; float32 are written in pairs. */
const TENSOR_ALIGNMENT = 8;

/** The prefix of gRPC's Length-Prefixed-Message; see framing.ts. */
const PREFIX_BYTES = 5;

/** A tag (field numbers are below 16) and a varint (a number below 2^53, or a length). */
const MAX_FIELD_HEAD_BYTES = 9;

/** The head has twelve fields besides the axes; an axis is a message with one number. */
const FIELDS_BESIDE_AXES = 12;
const FIELDS_PER_AXIS = 2;

export type PredictRequest = {
  /**
   * The tensor of all `capacity` instances, row-major, written in place. Its first content is undefined. The memory is
   * taken at the first access: a request waits for its images longer than for anything else.
   */
  readonly tensor: Float32Array | Uint8Array;
  /**
   * The serialized request with the first `count` instances (1 to `capacity`) and gRPC's prefix before it: a view of
   * the same memory without a copy, valid until the next call.
   */
  framed(count: number): Buffer;
  /** Returns the memory to the pool. Call it once, when nothing reads or writes the memory any more. */
  release(): void;
};

/**
 * Makes a PredictRequest with room for `capacity` instances of `target.input.shape`.
 * Throws `invalid_request` for a version that is not a whole number from 0 to 2^53 - 1.
 */
export function createPredictRequest(pool: Pool, target: PredictTarget, capacity: number): PredictRequest {
  checkVersion(target.servable.version);
  const { dtype, shape } = target.input;
  const elements = shape.reduce((product, size) => product * size, 1);
  const instanceBytes = elements * NUMERIC_TYPES[dtype].elementBytes;
  const tensorStart = Math.ceil((PREFIX_BYTES + maxHeadBytes(target)) / TENSOR_ALIGNMENT) * TENSOR_ALIGNMENT;
  const Elements = dtype === 'DT_FLOAT' ? Float32Array : Uint8Array;
  let memory: ArrayBuffer | undefined;
  const take = () => {
    memory ??= pool.take(tensorStart + capacity * instanceBytes);
    return memory;
  };
  return {
    get tensor() {
      return new Elements(take(), tensorStart, capacity * elements);
    },
    framed(count) {
      if (!(Number.isInteger(count) && count >= 1 && count <= capacity)) {
        throw new RangeError(`${count} instances in a request with room for 1 to ${capacity}`);
      }
      const end = tensorStart + count * instanceBytes;
      const whole = take();
      const start = writeHead(new Uint8Array(whole), { target, count, tensorStart, end });
      const framed = Buffer.from(whole, start - PREFIX_BYTES, PREFIX_BYTES + end - start);
      framed[0] = 0;
      framed.writeUInt32BE(end - start, 1);
      return framed;
    },
    release() {
      if (memory) pool.give(memory);
    },
  };
}

function maxHeadBytes({ servable, signature, input }: PredictTarget): number {
  const names = [servable.model, servable.label ?? '', signature, input.name];
  const fields = FIELDS_BESIDE_AXES + FIELDS_PER_AXIS * (1 + input.shape.length);
  const namesBytes = names.reduce((sum, name) => sum + Buffer.byteLength(name), 0);
  return namesBytes + fields * MAX_FIELD_HEAD_BYTES;
}

type Head = {
  readonly target: PredictTarget;
  readonly count: number;
  /** Offsets of the tensor's bytes. */
  readonly tensorStart: number;
  readonly end: number;
};

/**
 * Writes everything before the tensor's bytes, backwards. Returns the start offset. The tensor's bytes are the last
 * field of each enclosing message, so nothing follows them. Field numbers: predict.proto, model.proto, tensor.proto.
 */
function writeHead(buffer: Uint8Array, { target, count, tensorStart, end }: Head): number {
  const { input, servable, signature } = target;
  const writer = new BackwardWriter(buffer, tensorStart);
  const writeTensor = () => {
    writer.header(4, end - tensorStart);
    writer.messageField(2, () => writeShape(writer, [count, ...input.shape]));
    writer.varintField(1, NUMERIC_TYPES[input.dtype].number);
  };
  const writeInput = () => {
    writer.messageField(2, writeTensor, end);
    writer.bytesField(1, Buffer.from(input.name));
  };
  writer.messageField(2, writeInput, end);
  writer.messageField(1, () => {
    const { model, version, label } = servable;
    if (label !== undefined) writer.bytesField(4, Buffer.from(label));
    writer.bytesField(3, Buffer.from(signature));
    if (version !== undefined) writer.messageField(2, () => writer.varintField(1, version));
    writer.bytesField(1, Buffer.from(model));
  });
  return writer.start;
}

function writeShape(writer: BackwardWriter, shape: readonly number[]): void {
  for (const size of shape.toReversed()) {
    writer.messageField(2, () => writer.varintField(1, size));
  }
}
