/** Writes everything of a PredictRequest that comes before the content of its input, right before that content. */
import type { PredictTarget } from '../../domain/backend.ts';
import type { Servable } from '../../domain/servable.ts';
import { BackwardWriter } from '../../tensor/backward-writer.ts';
import { NUMERIC_TYPES } from '../../tensor/dtype.ts';
import { PREFIX_BYTES } from '../grpc/framing.ts';

/** A tag (field numbers are below 16) and a varint (a number below 2^53, or a length). */
export const MAX_FIELD_HEAD_BYTES = 9;

/** The head has twelve fields besides the axes; an axis is a message with one number. */
const FIELDS_BESIDE_AXES = 12;
const FIELDS_PER_AXIS = 2;

/** The number in the enum DataType. */
export const DT_STRING = 7;

/** Room that a head needs before the content, with gRPC's prefix. */
export function maxHeadBytes({ servable, signature, input }: PredictTarget): number {
  const names = [servable.model, servable.label ?? '', signature, input.name];
  const fields = FIELDS_BESIDE_AXES + FIELDS_PER_AXIS * (1 + input.shape.length);
  const namesBytes = names.reduce((sum, name) => sum + Buffer.byteLength(name), 0);
  return PREFIX_BYTES + namesBytes + fields * MAX_FIELD_HEAD_BYTES;
}

export type Content = {
  readonly target: PredictTarget;
  /** Instances. */
  readonly count: number;
  /** Offsets of the content: a tensor's bytes, or the string_val fields of a DT_STRING. */
  readonly start: number;
  readonly end: number;
};

/**
 * Writes head and prefix before the content, backwards. The content is the last field of each enclosing message, so
 * nothing follows it. Returns the framed message. Field numbers: predict.proto, model.proto, tensor.proto.
 */
export function frame(memory: ArrayBuffer, { target, count, start, end }: Content): Buffer {
  const { input, servable, signature } = target;
  const writer = new BackwardWriter(new Uint8Array(memory), start);
  const writeTensor = () => {
    if (input.dtype !== 'DT_STRING') writer.header(4, end - start);
    writer.messageField(2, () => writeShape(writer, [count, ...input.shape]));
    writer.varintField(1, input.dtype === 'DT_STRING' ? DT_STRING : NUMERIC_TYPES[input.dtype].number);
  };
  const writeInput = () => {
    writer.messageField(2, writeTensor, end);
    writer.bytesField(1, Buffer.from(input.name));
  };
  writer.messageField(2, writeInput, end);
  writeModelSpec(writer, servable, signature);
  return prefixed(memory, writer.start, end);
}

export function writeModelSpec(writer: BackwardWriter, servable: Servable, signature: string): void {
  writer.messageField(1, () => {
    const { model, version, label } = servable;
    if (label !== undefined) writer.bytesField(4, Buffer.from(label));
    writer.bytesField(3, Buffer.from(signature));
    if (version !== undefined) writer.messageField(2, () => writer.varintField(1, version));
    writer.bytesField(1, Buffer.from(model));
  });
}

/** The message from `start` to `end` with gRPC's prefix, which is written before it. */
export function prefixed(memory: ArrayBuffer, start: number, end: number): Buffer {
  const framed = Buffer.from(memory, start - PREFIX_BYTES, PREFIX_BYTES + end - start);
  framed[0] = 0;
  framed.writeUInt32BE(end - start, 1);
  return framed;
}

export function writeShape(writer: BackwardWriter, shape: readonly number[]): void {
  for (const size of shape.toReversed()) {
    writer.messageField(2, () => writer.varintField(1, size));
  }
}

/** @throws RangeError for a number of instances that the request has no room for. */
export function checkCount(count: number, capacity: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= capacity) return;
  throw new RangeError(`${count} instances in a request with room for 1 to ${capacity}`);
}
