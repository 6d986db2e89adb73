/** How long requests can be, so that their memory is taken before they are written. */
import type { PredictTarget, TensorsTarget } from '../../domain/backend.ts';
import { stringBytes, stringCount } from '../../domain/strings.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { PREFIX_BYTES } from './framing.ts';

/** A tag (field numbers are below 16) and a varint (a number below 2^53, or a length). */
export const MAX_FIELD_HEAD_BYTES = 9;

/** A tag, and a length below 2^32. */
const MAX_STRING_HEAD_BYTES = 6;

/** A head has twelve fields besides the axes; an axis may be a message with one number. */
const FIELDS_BESIDE_AXES = 12;
const FIELDS_PER_AXIS = 2;

/** Fields of a request beside those of its inputs, and of an input beside its axes and strings. */
const FIELDS = 8;
const FIELDS_PER_INPUT = 8;
/** Where a text is the only field of a message, the message counts too. */
const FIELDS_PER_TEXT = 2;

/** Room that a head needs before the content, with gRPC's prefix. */
export function maxHeadBytes({ servable, signature, input }: PredictTarget): number {
  const names = [servable.model, servable.label ?? '', signature, input.name];
  const fields = FIELDS_BESIDE_AXES + FIELDS_PER_AXIS * (1 + input.shape.length);
  const namesBytes = names.reduce((sum, name) => sum + Buffer.byteLength(name), 0);
  return PREFIX_BYTES + namesBytes + fields * MAX_FIELD_HEAD_BYTES;
}

/** A bound for the bytes of a request with tensors and its prefix. */
export function mostBytes({ servable, signature, answer }: TensorsTarget, inputs: ReadonlyMap<string, Tensor>): number {
  const texts = [servable.model, servable.label ?? '', signature, ...answer.outputs, ...inputs.keys()];
  let bytes = PREFIX_BYTES + (FIELDS + FIELDS_PER_TEXT * texts.length) * MAX_FIELD_HEAD_BYTES;
  for (const text of texts) bytes += Buffer.byteLength(text);
  for (const tensor of inputs.values()) {
    bytes += (FIELDS_PER_INPUT + FIELDS_PER_AXIS * tensor.shape.length) * MAX_FIELD_HEAD_BYTES;
    if ('offsets' in tensor) bytes += stringBytes(tensor) + stringCount(tensor) * MAX_STRING_HEAD_BYTES;
    else bytes += tensor.bytes.length;
  }
  return bytes;
}
