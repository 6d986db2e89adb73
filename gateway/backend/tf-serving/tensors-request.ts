/** A PredictRequest with any inputs. The tensors are copied once, into the memory that is sent. */
import type { TensorsTarget } from '../../domain/backend.ts';
import { isNumeric } from '../../domain/elements.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import { BackwardWriter } from '../../tensor/backward-writer.ts';
import { NUMERIC_TYPES } from '../../tensor/dtype.ts';
import type { Pool } from '../../tensor/pool.ts';
import { MAX_MESSAGE_BYTES } from '../grpc/channel.ts';
import { PREFIX_BYTES } from '../grpc/framing.ts';
import { DT_STRING, MAX_FIELD_HEAD_BYTES, prefixed, writeModelSpec, writeShape } from './request-head.ts';
import { checkVersion } from './version.ts';

/** Fields of a PredictRequest beside those of its inputs, and of an input beside its axes and strings. */
const FIELDS = 8;
const FIELDS_PER_INPUT = 8;
const FIELDS_PER_AXIS = 2;

/** Larger requests take memory of the pool, in steps of this size, so that requests of about one size share it. */
const STEP_BYTES = 64 * 1024;

export type FramedTensors = {
  /** The request with gRPC's prefix. */
  readonly framed: Buffer;
  /** Returns the memory to the pool. Leave that of a failed call to the garbage collector: something may still read it. */
  release(): void;
};

/** Writes the request. Field numbers: predict.proto, model.proto, tensor.proto. Throws `body_too_large` above the limit. */
export function frameTensors(pool: Pool, target: TensorsTarget, inputs: ReadonlyMap<string, Tensor>): FramedTensors {
  checkVersion(target.servable.version);
  const { servable, signature, answer } = target;
  const needed = mostBytes(target, inputs);
  const isPooled = needed > STEP_BYTES;
  const end = isPooled ? Math.ceil(needed / STEP_BYTES) * STEP_BYTES : needed;
  if (end > MAX_MESSAGE_BYTES) {
    throw new GatewayError('body_too_large', 'The tensors are too large for one request; send fewer instances.');
  }
  const memory = isPooled ? pool.take(end) : new ArrayBuffer(end);
  const writer = new BackwardWriter(new Uint8Array(memory), end);
  for (const output of answer.outputs.toReversed()) writer.bytesField(3, Buffer.from(output));
  for (const [name, tensor] of [...inputs].reverse()) {
    writer.messageField(2, () => {
      writer.messageField(2, () => writeTensor(writer, tensor));
      writer.bytesField(1, Buffer.from(name));
    });
  }
  writeModelSpec(writer, servable, signature);
  return { framed: prefixed(memory, writer.start, end), release: () => isPooled && pool.give(memory) };
}

function writeTensor(writer: BackwardWriter, tensor: Tensor): void {
  if ('strings' in tensor) {
    for (const string of tensor.strings.toReversed()) writer.bytesField(8, string);
  } else writer.bytesField(4, tensor.bytes);
  writer.messageField(2, () => writeShape(writer, tensor.shape));
  writer.varintField(1, isNumeric(tensor.dtype) ? NUMERIC_TYPES[tensor.dtype].number : DT_STRING);
}

/** A bound for the bytes of the request with its prefix. */
function mostBytes({ servable, signature, answer }: TensorsTarget, inputs: ReadonlyMap<string, Tensor>): number {
  const texts = [servable.model, servable.label ?? '', signature, ...answer.outputs, ...inputs.keys()];
  let bytes = PREFIX_BYTES + (FIELDS + texts.length) * MAX_FIELD_HEAD_BYTES;
  for (const text of texts) bytes += Buffer.byteLength(text);
  for (const tensor of inputs.values()) {
    bytes += (FIELDS_PER_INPUT + FIELDS_PER_AXIS * tensor.shape.length) * MAX_FIELD_HEAD_BYTES;
    if ('strings' in tensor) for (const { length } of tensor.strings) bytes += length + MAX_FIELD_HEAD_BYTES;
    else bytes += tensor.bytes.length;
  }
  return bytes;
}
