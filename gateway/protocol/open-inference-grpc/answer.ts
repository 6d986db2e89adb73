/** Writes the answers of inference.GRPCInferenceService. Field numbers: protos/inference. */
import { elementsOf } from '../../domain/elements.ts';
import { inTurns } from '../../domain/steps.ts';
import { stringCount, stringsOf } from '../../domain/strings.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import type { ModelMetadata, TensorMetadata } from '../../open-inference/models.ts';
import type { NamedOutput } from '../../open-inference/predict.ts';
import { BYTES_CONTENTS, contentsListOf, datatypeOf } from '../../tensor/datatype.ts';
import { VARINT } from '../../tensor/field-reader.ts';
import { type Field, fieldHead, message, packedVarints } from '../../tensor/message.ts';
import { joinPrefixed } from '../../tensor/prefixed-strings.ts';

/** Elements that are sent as lists, which take time to write. Larger outputs are sent raw: every client reads both. */
const MAX_LISTED = 2 ** 13;
/** The field raw_output_contents of ModelInferResponse. */
const RAW_OUTPUT = 6;

export type InferAnswer = {
  readonly model: string;
  readonly version: number;
  /** The request's. */
  readonly id: string;
  readonly outputs: readonly NamedOutput[];
  /** Whether the request had lists: then the answer has them too, where it is small and its types have lists. */
  readonly asLists: boolean;
};

/** Writes a ModelInferResponse in pieces; elements are not copied. Throws `model_failed` for a type it cannot have. */
export async function writeInfer({ model, version, id, outputs, asLists }: InferAnswer): Promise<Uint8Array[]> {
  const isListed = asLists && outputs.every(([, tensor]) => hasList(tensor));
  const head = message([
    [1, model],
    [2, String(version)],
    [3, id],
    ...outputs.map(([name, tensor]): Field => [5, outputTensor(name, tensor, isListed)]),
  ]);
  if (isListed) return [head];
  const pieces = [head];
  for (const [, tensor] of outputs) {
    const raw = 'offsets' in tensor ? await inTurns(joinPrefixed(tensor)) : tensor.bytes;
    pieces.push(fieldHead(RAW_OUTPUT, raw.length), raw);
  }
  return pieces;
}

function hasList(tensor: Tensor): boolean {
  if ('offsets' in tensor) return stringCount(tensor) <= MAX_LISTED;
  return contentsListOf(tensor.dtype) !== undefined && (elementsOf(tensor)?.length ?? 0) <= MAX_LISTED;
}

/** An InferOutputTensor. */
function outputTensor(name: string, tensor: Tensor, isListed: boolean): Uint8Array {
  const datatype = datatypeOf(tensor.dtype);
  if (datatype === undefined) {
    throw new GatewayError('model_failed', `${name}: ${tensor.dtype} is no type of the Open Inference Protocol.`);
  }
  return message([
    [1, name],
    [2, datatype],
    [3, packedVarints(tensor.shape)],
    ...(isListed ? [[5, contents(tensor)] as const] : []),
  ]);
}

/** An InferTensorContents. */
function contents(tensor: Tensor): Uint8Array {
  if ('offsets' in tensor) return message(stringsOf(tensor).map((string) => [BYTES_CONTENTS, string]));
  const list = contentsListOf(tensor.dtype);
  if (!list) throw new TypeError(`${tensor.dtype} has no list`);
  // Floats are packed as they are.
  return message([[list.field, list.wireType === VARINT ? packedVarints(elementsOf(tensor) ?? []) : tensor.bytes]]);
}

/** Writes a ModelMetadataResponse. */
export function writeModel({ name, versions, platform, inputs, outputs }: ModelMetadata): Uint8Array {
  return message([
    [1, name],
    ...versions.map((version): Field => [2, version]),
    [3, platform],
    ...inputs.map((tensor): Field => [4, tensorMetadata(tensor)]),
    ...outputs.map((tensor): Field => [5, tensorMetadata(tensor)]),
  ]);
}

/** A TensorMetadata. */
function tensorMetadata({ name, datatype, shape }: TensorMetadata): Uint8Array {
  return message([
    [1, name],
    [2, datatype],
    [3, packedVarints(shape)],
  ]);
}

/** Writes a ServerMetadataResponse. */
export function writeServer({ name, version }: { readonly name: string; readonly version: string }): Uint8Array {
  return message([
    [1, name],
    [2, version],
  ]);
}

/** Writes a response whose only field is a boolean: live, or ready. */
export function writeBoolean(value: boolean): Uint8Array {
  return message([[1, Number(value)]]);
}
