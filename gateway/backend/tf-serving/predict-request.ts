/** Writes a PredictRequest. Field numbers: predict.proto, model.proto, tensor.proto. */
import type { TensorsTarget } from '../../domain/backend.ts';
import type { Servable } from '../../domain/servable.ts';
import type { Steps } from '../../domain/steps.ts';
import type { Tensor } from '../../domain/tensor.ts';
import type { BackwardWriter } from '../../tensor/backward-writer.ts';
import { writeTensorEntry, writeType } from '../../tensor/write-tensor.ts';
import type { Content } from '../grpc/protocol.ts';

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
  for (const input of [...inputs].reverse()) yield* writeTensorEntry(writer, 2, input);
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
