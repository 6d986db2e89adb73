/** Writes a TensorProto (tensor.proto), with its numbers as `tensor_content`. */
import { isNumeric } from '../domain/elements.ts';
import { type Steps, VALUES_OF_STEP } from '../domain/steps.ts';
import { stringAt, stringCount } from '../domain/strings.ts';
import type { DType, Tensor } from '../domain/tensor.ts';
import type { BackwardWriter } from './backward-writer.ts';
import { NUMERIC_TYPES } from './dtype.ts';

/** The number in the enum DataType. */
const DT_STRING = 7;
/** The field of TensorProto that lists strings. */
const STRING_VAL = 8;

/** Writes an entry of a map from names to tensors. A step takes about a millisecond. */
export function* writeTensorEntry(
  writer: BackwardWriter,
  field: number,
  [name, tensor]: readonly [name: string, tensor: Tensor],
): Steps<void> {
  const end = writer.start;
  yield* writeTensorField(writer, 2, tensor);
  writer.messageField(field, () => writer.bytesField(1, Buffer.from(name)), end);
}

/** Writes a field with the tensor. */
function* writeTensorField(writer: BackwardWriter, field: number, tensor: Tensor): Steps<void> {
  const end = writer.start;
  if ('offsets' in tensor) {
    for (let index = stringCount(tensor) - 1; index >= 0; index -= 1) {
      writeString(writer, stringAt(tensor, index));
      if (index % VALUES_OF_STEP === VALUES_OF_STEP - 1) yield;
    }
  } else writer.bytesField(4, tensor.bytes);
  writer.messageField(field, () => writeType(writer, tensor.dtype, tensor.shape), end);
}

/** A string of a tensor. */
export function writeString(writer: BackwardWriter, string: Uint8Array): void {
  writer.bytesField(STRING_VAL, string);
}

/** The dtype and the shape. */
export function writeType(writer: BackwardWriter, dtype: DType, shape: readonly number[]): void {
  writer.messageField(2, () => {
    for (const size of shape.toReversed()) writer.messageField(2, () => writer.varintField(1, size));
  });
  writer.varintField(1, dtypeNumber(dtype));
}

/** The number of a dtype whose elements are numbers or strings. */
export function dtypeNumber(dtype: DType): number {
  return isNumeric(dtype) ? NUMERIC_TYPES[dtype].number : DT_STRING;
}
