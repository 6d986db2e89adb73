/** Writes the signatures of model servers that have no SignatureDefMap (get_model_metadata.proto, meta_graph.proto). */
import type { Signature, TensorInfo } from '../../domain/tensor.ts';
import { type Field, message } from '../../tensor/message.ts';
import { dtypeNumber } from '../../tensor/write-tensor.ts';

/** The method that SavedModels have for signatures of any tensors. */
const PREDICT = 'tensorflow/serving/predict';

/** A serialized SignatureDefMap. The tensors are called as the inputs and outputs. */
export function writeSignatureDefs(signatures: ReadonlyMap<string, Signature>): Uint8Array {
  return message(Array.from(signatures, ([name, one]) => entry(1, name, signatureDef(one))));
}

function signatureDef({ inputs, outputs }: Signature): Uint8Array {
  return message([
    ...inputs.map((info) => entry(1, info.name, tensorInfo(info))),
    ...outputs.map((info) => entry(2, info.name, tensorInfo(info))),
    [3, PREDICT],
  ]);
}

function tensorInfo({ name, dtype, shape }: TensorInfo): Uint8Array {
  const axes = (shape ?? []).map((size): Field => [2, message([[1, size]])]);
  return message([
    [1, name],
    [2, dtypeNumber(dtype)],
    [3, message(shape ? axes : [[3, 1]])],
  ]);
}

/** An entry of a map of messages. */
function entry(field: number, key: string, value: Uint8Array): Field {
  return [
    field,
    message([
      [1, key],
      [2, value],
    ]),
  ];
}
