/** Tensors in the Open Inference Protocol's gRPC messages: InferInputTensor, InferOutputTensor and TensorMetadata. */
import { type FieldReader, LENGTH_DELIMITED, VARINT } from './field-reader.ts';
import { MAX_AXES } from './shape-proto.ts';

export type InferTensor = {
  readonly name: string;
  readonly datatype: string;
  /** In metadata, -1 is an axis of any size. Of too many axes, those after the first one above MAX_AXES are left out. */
  readonly shape: readonly number[];
  /** A serialized InferTensorContents. */
  readonly lists: Uint8Array | undefined;
};

/** Reads a tensor; the lists are a view. `readOther` gets the other fields. Throws MalformedMessage. */
export function readInferTensor(at: FieldReader, readOther?: (at: FieldReader) => void): InferTensor {
  let [name, datatype] = ['', ''];
  let lists: Uint8Array | undefined;
  const shape: number[] = [];
  while (at.next()) {
    if (at.field === 1) name = at.text;
    else if (at.field === 2) datatype = at.text;
    else if (at.field === 3) readAxes(at, shape);
    else if (at.field === 5) lists = at.bytes;
    else readOther?.(at);
  }
  return { name, datatype, shape, lists };
}

/** Adds the axes of one field: a packed list, or one of them. */
function readAxes(at: FieldReader, shape: number[]): void {
  const packed = at.wireType === LENGTH_DELIMITED ? at.message : undefined;
  if (!packed && shape.length <= MAX_AXES) shape.push(at.int64);
  while (shape.length <= MAX_AXES && packed?.nextValue(VARINT)) shape.push(packed.int64);
}
