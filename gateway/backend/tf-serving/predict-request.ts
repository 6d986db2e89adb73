/** Writes a PredictRequest. Field numbers: predict.proto, model.proto, tensor.proto. */
import type { TensorsTarget } from '../../domain/backend.ts';
import { isNumeric } from '../../domain/elements.ts';
import type { Servable } from '../../domain/servable.ts';
import type { DType, Tensor } from '../../domain/tensor.ts';
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

export function writeTensors(
  writer: BackwardWriter,
  { servable, signature, answer }: TensorsTarget,
  inputs: ReadonlyMap<string, Tensor>,
): void {
  for (const output of answer.outputs.toReversed()) writer.bytesField(3, Buffer.from(output));
  for (const [name, tensor] of [...inputs].reverse()) {
    writer.messageField(2, () => {
      writer.messageField(2, () => writeTensor(writer, tensor));
      writer.bytesField(1, Buffer.from(name));
    });
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

function writeTensor(writer: BackwardWriter, tensor: Tensor): void {
  if ('strings' in tensor) for (const string of tensor.strings.toReversed()) writeString(writer, string);
  else writer.bytesField(4, tensor.bytes);
  writeType(writer, tensor.dtype, tensor.shape);
}

/** The dtype and the shape of a TensorProto. */
function writeType(writer: BackwardWriter, dtype: DType, shape: readonly number[]): void {
  writer.messageField(2, () => {
    for (const size of shape.toReversed()) writer.messageField(2, () => writer.varintField(1, size));
  });
  writer.varintField(1, isNumeric(dtype) ? NUMERIC_TYPES[dtype].number : DT_STRING);
}
