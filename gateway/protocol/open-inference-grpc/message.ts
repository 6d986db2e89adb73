/** The messages of inference.GRPCInferenceService as the gateway reads them. Field numbers: protos/inference. */
import { bytesOf, type RoomyMessage } from '../../domain/roomy-message.ts';
import { GatewayError } from '../../errors.ts';
import {
  type InferInput,
  type InferOutput,
  MAX_AXES,
  type Parameters,
  tooManyAxes,
} from '../../open-inference/message.ts';
import { dropFields } from '../../tensor/drop-fields.ts';
import { FieldReader, type ReadBudget } from '../../tensor/field-reader.ts';
import { type InferTensor, readInferTensor } from '../../tensor/infer-tensor.ts';
import { asInvalidMessage } from '../../tensor/malformed.ts';

/** It bounds the time to a few milliseconds. A request has some fields for each tensor, and one for each axis. */
const MAX_FIELDS = 2 ** 16;
export type ModelInferInput = Omit<InferInput, 'contents'> & Pick<InferTensor, 'lists'>;

export type ModelInferRequest = {
  readonly model: string;
  readonly version: string;
  readonly id: string;
  readonly parameters: Parameters;
  readonly inputs: readonly ModelInferInput[];
  readonly outputs: readonly InferOutput[];
  /** The contents of all inputs, in their order. Empty if the inputs have lists. */
  readonly raw: readonly Uint8Array[];
};

/** Reads a ModelInferRequest. The contents are views of it. Throws `invalid_request`. */
export function readInfer(message: RoomyMessage): ModelInferRequest {
  return parsed('ModelInferRequest', message, (at) => {
    let [model, version, id] = ['', '', ''];
    const parameters = new Map<string, boolean | number | string>();
    const [inputs, outputs, raw]: [ModelInferInput[], InferOutput[], Uint8Array[]] = [[], [], []];
    while (at.next()) {
      if (at.field === 1) model = at.text;
      if (at.field === 2) version = at.text;
      if (at.field === 3) id = at.text;
      if (at.field === 4) readParameter(at.message, parameters);
      if (at.field === 5) inputs.push(readInput(at.message));
      if (at.field === 6) outputs.push(readOutput(at.message));
      if (at.field === 7) raw.push(at.bytes);
    }
    return { model, version, id, parameters, inputs, outputs, raw };
  });
}

/** The request without its model_name and model_version, which the relay writes. Views of the message are not valid any more. */
export function withoutServable(message: RoomyMessage): RoomyMessage {
  const dropped = new Set<number>();
  return dropFields(message, { fields: MAX_FIELDS }, ({ field }) => {
    if (field !== 1 && field !== 2) return false;
    // Each one moves what comes before it.
    if (dropped.has(field)) throw new GatewayError('invalid_request', 'model_name, model_version: send them once.');
    dropped.add(field);
    return true;
  });
}

/** A ModelReadyRequest or ModelMetadataRequest, which have the same fields. Throws `invalid_request`. */
export function readNameAndVersion(message: RoomyMessage, what: string): { model: string; version: string } {
  return parsed(what, message, (at) => {
    let [model, version] = ['', ''];
    while (at.next()) {
      if (at.field === 1) model = at.text;
      if (at.field === 2) version = at.text;
    }
    return { model, version };
  });
}

function parsed<Read>(what: string, message: RoomyMessage, read: (at: FieldReader) => Read): Read {
  const budget: ReadBudget = { fields: MAX_FIELDS };
  try {
    return read(new FieldReader(bytesOf(message), budget));
  } catch (thrown) {
    throw asInvalidMessage(thrown, what);
  }
}

function readInput(at: FieldReader): ModelInferInput {
  const parameters = new Map<string, boolean | number | string>();
  const tensor = readInferTensor(at, (other) => {
    if (other.field === 4) readParameter(other.message, parameters);
  });
  if (tensor.shape.length > MAX_AXES) throw tooManyAxes();
  return { ...tensor, parameters };
}

function readOutput(at: FieldReader): InferOutput {
  let name = '';
  const parameters = new Map<string, boolean | number | string>();
  while (at.next()) {
    if (at.field === 1) name = at.text;
    if (at.field === 2) readParameter(at.message, parameters);
  }
  return { name, parameters };
}

/** Adds an entry of a map of parameters. Kinds that are not read (doubles) are left out. */
function readParameter(entry: FieldReader, parameters: Map<string, boolean | number | string>): void {
  let key = '';
  let value: boolean | number | string | undefined;
  while (entry.next()) {
    if (entry.field === 1) key = entry.text;
    const parameter = entry.field === 2 ? entry.message : undefined;
    while (parameter?.next()) {
      if (parameter.field === 1) value = parameter.int32 !== 0;
      if (parameter.field === 2) value = parameter.int64;
      if (parameter.field === 3) value = parameter.text;
    }
  }
  if (value !== undefined) parameters.set(key, value);
}
