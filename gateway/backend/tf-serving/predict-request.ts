/** Writes a PredictRequest. Field numbers: predict.proto, model.proto, tensor.proto. */
import type { TensorsTarget } from '../../domain/backend.ts';
import { isNumeric } from '../../domain/elements.ts';
import type { Servable } from '../../domain/servable.ts';
import { type Steps, VALUES_OF_STEP } from '../../domain/steps.ts';
import { stringAt, stringCount } from '../../domain/strings.ts';
import type { DType, StringTensor, Tensor } from '../../domain/tensor.ts';
import type { BackwardWriter } from '../../tensor/backward-writer.ts';
import { NUMERIC_TYPES } from '../../tensor/dtype.ts';
import type { Content } from '../grpc/protocol.ts';

/** The number in the enum DataType. */
const DT_STRING = 7;
/** The field of TensorProto that lists strings. */
const STRING_VAL = 8;

/** A string of a tensor. */
export function writeString(writer: BackwardWriter, string: Uint8Array): void {
  writer.bytesField(STRING_VAL, string);
}

/** The content is the last field of each enclosing message, so nothing follows it. */
export function writeHead(writer: BackwardWriter, { target, count, start, end }: Content): void {
  const { input, servable, signature } = target;
  const writeInput = () => {
    writer.messageField(
      2,
      () => {
        if (input.dtype !== 'DT_STRING') writer.header(4, end - start);
        writeType(writer, input.dtype, [count, ...input.shape]);
      },
      end,
    );
    writer.bytesField(1, Buffer.from(input.name));
  };
  writer.messageField(2, writeInput, end);
  writeModelSpec(writer, servable, signature);
}

export function* writeTensors(
  writer: BackwardWriter,
  { servable, signature, answer }: TensorsTarget,
  inputs: ReadonlyMap<string, Tensor>,
): Steps<void> {
  for (const output of answer.outputs.toReversed()) writer.bytesField(3, Buffer.from(output));
  for (const [name, tensor] of [...inputs].reverse()) {
    const end = writer.start;
    if ('offsets' in tensor) yield* writeStrings(writer, STRING_VAL, tensor);
    else writer.bytesField(4, tensor.bytes);
    writer.messageField(
      2,
      () => {
        writer.messageField(2, () => writeType(writer, tensor.dtype, tensor.shape), end);
        writer.bytesField(1, Buffer.from(name));
      },
      end,
    );
  }
  writeModelSpec(writer, servable, signature);
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

/** Writes each string of a tensor as a field. */
function* writeStrings(writer: BackwardWriter, field: number, tensor: StringTensor): Steps<void> {
  for (let index = stringCount(tensor) - 1; index >= 0; index -= 1) {
    writer.bytesField(field, stringAt(tensor, index));
    if (index % VALUES_OF_STEP === VALUES_OF_STEP - 1) yield;
  }
}

/** The dtype and the shape of a TensorProto. */
function writeType(writer: BackwardWriter, dtype: DType, shape: readonly number[]): void {
  writer.messageField(2, () => {
    for (const size of shape.toReversed()) writer.messageField(2, () => writer.varintField(1, size));
  });
  writer.varintField(1, isNumeric(dtype) ? NUMERIC_TYPES[dtype].number : DT_STRING);
}
