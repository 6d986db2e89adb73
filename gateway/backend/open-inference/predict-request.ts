/** Writes a ModelInferRequest with raw contents. Field numbers: protos/inference. */
import type { TensorsTarget } from '../../domain/backend.ts';
import type { Servable } from '../../domain/servable.ts';
import type { Steps } from '../../domain/steps.ts';
import type { DType, Tensor } from '../../domain/tensor.ts';
import type { BackwardWriter } from '../../tensor/backward-writer.ts';
import { datatypeOf } from '../../tensor/datatype.ts';
import { joinPrefixed } from '../../tensor/prefixed-strings.ts';
import type { Content, PredictMessages, RelayMessages } from '../grpc/protocol.ts';
import type { Versions } from './versions.ts';

/** The field raw_input_contents. */
const RAW_INPUT = 7;

type Writers = Pick<PredictMessages, 'writeHead' | 'writeString' | 'writeTensors'> &
  Pick<RelayMessages, 'writeServable'>;

/** Makes the writers. Versions are named as `versions` says. */
export function createWriters(versions: Versions): Writers {
  function writeServable(writer: BackwardWriter, servable: Servable): void {
    const version = versions.text(servable);
    if (version !== '') writer.bytesField(2, Buffer.from(version));
    writer.bytesField(1, Buffer.from(servable.model));
  }
  return {
    writeServable,
    writeString,
    writeHead(writer, { target, count, start, end }: Content) {
      const { input, servable } = target;
      writer.header(RAW_INPUT, end - start);
      writeInput(writer, input.name, input.dtype, [count, ...input.shape]);
      writeServable(writer, servable);
    },
    *writeTensors(writer, { servable, answer }: TensorsTarget, inputs) {
      const reversed = [...inputs].reverse();
      for (const [, tensor] of reversed) yield* writeContents(writer, tensor);
      for (const output of answer.outputs.toReversed()) {
        writer.messageField(6, () => writer.bytesField(1, Buffer.from(output)));
      }
      for (const [name, { dtype, shape }] of reversed) writeInput(writer, name, dtype, shape);
      writeServable(writer, servable);
    },
  };
}

/** An InferInputTensor without its contents. */
function writeInput(writer: BackwardWriter, name: string, dtype: DType, shape: readonly number[]): void {
  writer.messageField(5, () => {
    writer.messageField(3, () => {
      for (const size of shape.toReversed()) writer.varint(size);
    });
    writer.bytesField(2, Buffer.from(datatypeOf(dtype) ?? dtype));
    writer.bytesField(1, Buffer.from(name));
  });
}

function* writeContents(writer: BackwardWriter, tensor: Tensor): Steps<void> {
  if (!('offsets' in tensor)) {
    writer.bytesField(RAW_INPUT, tensor.bytes);
    return;
  }
  const contents = yield* joinPrefixed(tensor);
  writer.bytesField(RAW_INPUT, contents);
}

/** A string has its length before it, as four bytes. */
function writeString(writer: BackwardWriter, string: Uint8Array): void {
  writer.bytes(string);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(string.length);
  writer.bytes(length);
}
