/** Reads what the gateway needs of the requests: the model_spec, and how many rows they have. Tensors stay bytes. */

import { bytesOf, type RoomyMessage } from '../../domain/roomy-message.ts';
import type { Servable } from '../../domain/servable.ts';
import { GatewayError } from '../../errors.ts';
import { dropFields } from '../../tensor/drop-fields.ts';
import { FieldReader, type ReadBudget } from '../../tensor/field-reader.ts';
import { asInvalidMessage } from '../../tensor/malformed.ts';
import { readShape } from '../../tensor/shape-proto.ts';
import { type AskedSpec, readModelSpec } from './model-spec.ts';

/** It bounds the time to a few milliseconds. A request has a field for each input, axis and example. */
const MAX_FIELDS = 2 ** 16;

/** The field `model_spec` of all requests. */
const MODEL_SPEC = 1;

export type RelayedMethod = 'Predict' | 'Classify' | 'Regress';

export type RelayedRequest = AskedSpec & {
  /** The request without its model_spec. */
  readonly rest: RoomyMessage;
  /** Rows of the inputs, or examples; at least 1. */
  readonly rows: number;
};

const ROWS: Readonly<Record<RelayedMethod, (at: FieldReader) => number>> = {
  Predict: rowsOfInputs,
  Classify: countExamples,
  Regress: countExamples,
};

/** Reads a request that runs a model. Throws `invalid_request`. */
export function readRelayed(message: RoomyMessage, method: RelayedMethod): RelayedRequest {
  const what = { Predict: 'PredictRequest', Classify: 'ClassificationRequest', Regress: 'RegressionRequest' }[method];
  return parsed(what, (budget) => {
    const { spec, rest } = splitSpec(message, budget);
    const bytes = bytesOf(rest);
    // A row takes a byte at least, unless a list is shorter than its shape.
    const rows = Math.min(ROWS[method](new FieldReader(bytes, budget)), bytes.length);
    return { ...spec, rest, rows: Math.max(rows, 1) };
  });
}

/** Reads a GetModelMetadataRequest. Throws `invalid_request`, also for other metadata than "signature_def". */
export function readMetadataRequest(message: RoomyMessage): Servable {
  return parsed('GetModelMetadataRequest', (budget) => {
    const fields: string[] = [];
    const { spec, rest } = splitSpec(message, budget);
    const at = new FieldReader(bytesOf(rest), budget);
    while (at.next()) if (at.field === 2) fields.push(at.text);
    const unknown = fields.find((field) => field !== 'signature_def');
    if (fields.length > 0 && unknown === undefined) return spec.servable;
    const got = unknown === undefined ? 'is missing' : `${unknown.slice(0, 80)} is not offered`;
    throw new GatewayError('invalid_request', `metadata_field: ${got}; send "signature_def".`);
  });
}

/** Reads a GetModelStatusRequest. Throws `invalid_request`. */
export function readStatusRequest(message: RoomyMessage): Servable {
  return parsed('GetModelStatusRequest', (budget) => splitSpec(message, budget).spec.servable);
}

function parsed<Read>(what: string, read: (budget: ReadBudget) => Read): Read {
  try {
    return read({ fields: MAX_FIELDS });
  } catch (thrown) {
    throw asInvalidMessage(thrown, what);
  }
}

/** Takes the model_spec out of a request. */
function splitSpec(message: RoomyMessage, budget: ReadBudget): { spec: AskedSpec; rest: RoomyMessage } {
  let spec: AskedSpec | undefined;
  const rest = dropFields(message, budget, (at) => {
    if (at.field !== MODEL_SPEC) return false;
    if (spec) throw new GatewayError('invalid_request', 'model_spec: send it once.');
    spec = readModelSpec(at.message);
    return true;
  });
  if (!spec) throw new GatewayError('invalid_request', 'model_spec: is missing; send the name of a model.');
  return { spec, rest };
}

/** The largest first axis of the inputs of a PredictRequest. */
function rowsOfInputs(at: FieldReader): number {
  let rows = 1;
  while (at.next()) {
    if (at.field !== 2) continue;
    const entry = at.message;
    while (entry.next()) if (entry.field === 2) rows = Math.max(rows, firstAxis(entry.message));
  }
  return rows;
}

/** Reads a TensorProto up to its shape, which comes before its values. */
function firstAxis(tensor: FieldReader): number {
  while (tensor.next()) if (tensor.field === 2) return readShape(tensor.message)?.[0] ?? 1;
  return 1;
}

/** The examples of an Input: those of its example_list, or of its example_list_with_context. */
function countExamples(at: FieldReader): number {
  let examples = 0;
  while (at.next()) {
    if (at.field !== 2) continue;
    const input = at.message;
    while (input.next()) {
      const list = input.message;
      while (list.next()) if (list.field === 1) examples += 1;
    }
  }
  return examples;
}
