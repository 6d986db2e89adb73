/** Reads a serialized PredictResponse: the version that answered and the outputs that are wanted. */
import type { Prediction } from '../../domain/backend.ts';
import { inTurns, type Steps } from '../../domain/steps.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { FieldReader } from '../../tensor/field-reader.ts';
import { readTensor } from '../../tensor/tensor-proto.ts';
import type { Wanted } from '../grpc/protocol.ts';
import { asUnreadable, readable } from '../grpc/readable.ts';
import { readServedVersion } from './version.ts';

/** A wanted output: its name, that as it is sent, and the bytes of its TensorProto. */
type Found = { readonly name: string; readonly key: Buffer; tensor: Uint8Array | undefined };

/** Fields beside the elements of tensors. A signature has far fewer outputs. */
const OTHER_FIELDS = 4096;
/** An element of an unpacked list is a field. It is visited for the tensor's head, then for its list. */
const FIELDS_PER_ELEMENT = 2;

/** Fields of a response that is passed on, beside those of its outputs, which are skipped. It bounds the time. */
const MAX_RELAYED_FIELDS = 2 ** 16;
/** The field `model_spec` of PredictResponse, ClassificationResponse and RegressionResponse. */
const MODEL_SPEC = 2;

/**
 * Reads the response. Outputs of a dtype other than numbers and strings are left out. Throws `model_failed` for bytes
 * that are no PredictResponse, for tensors that contradict themselves, and for more elements than are wanted.
 */
export async function readPrediction(response: Uint8Array, wanted: Wanted): Promise<Prediction> {
  return inTurns(predictionIn(response, wanted)).catch((thrown: unknown) => {
    throw asUnreadable(thrown);
  });
}

/** Reads the response. Throws as readPrediction, and MalformedMessage. */
export function* predictionIn(response: Uint8Array, wanted: Wanted): Steps<Prediction> {
  const fields = OTHER_FIELDS + FIELDS_PER_ELEMENT * wanted.elements;
  const budget = { fields, elements: wanted.elements, take: wanted.take };
  const found = wanted.outputs.map((name): Found => ({ name, key: Buffer.from(name), tensor: undefined }));
  let version: number | undefined;
  const at = new FieldReader(response, budget);
  while (at.next()) {
    if (at.field === 1) keepWanted(at.message, found);
    if (at.field === MODEL_SPEC) version = readServedVersion(at.message) ?? version;
  }
  const outputs = new Map<string, Tensor>();
  for (const { name, tensor } of found) {
    const read = tensor && (yield* readTensor(tensor, budget));
    if (read) outputs.set(name, read);
  }
  return { version, outputs };
}

/** The version in the response's model_spec. Throws `model_failed` for bytes that are no response. */
export function readAnsweredVersion(response: Uint8Array): number | undefined {
  return readable(() => {
    const at = new FieldReader(response, { fields: MAX_RELAYED_FIELDS });
    let version: number | undefined;
    while (at.next()) if (at.field === MODEL_SPEC) version = readServedVersion(at.message) ?? version;
    return version;
  });
}

/** Keeps the bytes of an entry of the map of outputs. Of several entries with one key the last one counts. */
function keepWanted(entry: FieldReader, wanted: readonly Found[]): void {
  let key: Uint8Array = new Uint8Array();
  let value: Uint8Array = new Uint8Array();
  while (entry.next()) {
    if (entry.field === 1) key = entry.bytes;
    if (entry.field === 2) value = entry.bytes;
  }
  // Keys are compared as bytes: one of the others may be long.
  const found = wanted.find((one) => one.key.equals(key));
  if (found) found.tensor = value;
}
