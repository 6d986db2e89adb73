/** Reads the responses of the look-ups as domain types. Field numbers: protos/inference. */
import type { ServableState } from '../../domain/servable.ts';
import type { Signature, TensorInfo } from '../../domain/tensor.ts';
import { dtypeOf } from '../../tensor/datatype.ts';
import { FieldReader } from '../../tensor/field-reader.ts';
import { readInferTensor } from '../../tensor/infer-tensor.ts';
import { MAX_ERROR_CHARACTERS, MAX_LOOK_UP_FIELDS } from '../grpc/look-up-call.ts';
import { readable } from '../grpc/readable.ts';

/** A model by ModelMetadata. */
export type Model = {
  /** The versions that the server lists, as it names them. */
  readonly listed: readonly string[];
  readonly signature: Signature;
};

/** A version in the index of a server's repository. */
export type Listed = {
  readonly name: string;
  /** Empty for a model without versions. */
  readonly version: string;
  /** Undefined for a model that was never loaded. */
  readonly state: ServableState | undefined;
  /** Why it is not ready. */
  readonly reason: string;
};

/** Triton's names of states. UNAVAILABLE: it was unloaded, or could not be loaded. */
const STATES: Readonly<Record<string, ServableState>> = {
  READY: 'AVAILABLE',
  LOADING: 'LOADING',
  UNLOADING: 'UNLOADING',
  UNAVAILABLE: 'END',
};

/** Reads a ModelMetadataResponse. Throws `model_failed` for other bytes. */
export function readModel(response: Uint8Array): Model {
  return readable(() => {
    const [listed, inputs, outputs]: [string[], TensorInfo[], TensorInfo[]] = [[], [], []];
    const at = new FieldReader(response, { fields: MAX_LOOK_UP_FIELDS });
    while (at.next()) {
      if (at.field === 2) listed.push(at.text);
      if (at.field === 4) inputs.push(readTensorMetadata(at.message));
      if (at.field === 5) outputs.push(readTensorMetadata(at.message));
    }
    return { listed, signature: { inputs, outputs } };
  });
}

/** A datatype that is not in the protocol stays as it is, for error texts. */
function readTensorMetadata(at: FieldReader): TensorInfo {
  const { name, datatype, shape } = readInferTensor(at);
  return { name, dtype: dtypeOf(datatype) ?? datatype, shape };
}

/** Reads a ModelReadyResponse. Throws `model_failed` for other bytes. */
export function readReady(response: Uint8Array): boolean {
  return readable(() => {
    const at = new FieldReader(response, { fields: MAX_LOOK_UP_FIELDS });
    let isReady = false;
    while (at.next()) if (at.field === 1) isReady = at.int32 !== 0;
    return isReady;
  });
}

/** Reads a RepositoryIndexResponse. Throws `model_failed` for other bytes. */
export function readIndex(response: Uint8Array): Listed[] {
  return readable(() => {
    const listed: Listed[] = [];
    const at = new FieldReader(response, { fields: MAX_LOOK_UP_FIELDS });
    while (at.next()) if (at.field === 1) listed.push(readListed(at.message));
    return listed;
  });
}

function readListed(at: FieldReader): Listed {
  let [name, version, state, reason] = ['', '', '', ''];
  while (at.next()) {
    if (at.field === 1) name = at.text;
    if (at.field === 2) version = at.text;
    if (at.field === 3) state = at.text;
    if (at.field === 4) reason = at.text.slice(0, MAX_ERROR_CHARACTERS);
  }
  return { name, version, state: state === '' ? undefined : (STATES[state] ?? 'UNKNOWN'), reason };
}
