/** Reads the responses of GetModelMetadata and GetModelStatus as domain types. */
import { status } from '@grpc/grpc-js';
import type { Metadata, ServableState, VersionStatus } from '../../domain/servable.ts';
import type { Signature, TensorInfo } from '../../domain/tensor.ts';
import { dtypeName } from '../../tensor/dtype.ts';
import { FieldReader } from '../../tensor/field-reader.ts';
import { readShape } from '../../tensor/shape-proto.ts';
import { MAX_ERROR_CHARACTERS, MAX_LOOK_UP_FIELDS } from '../grpc/look-up-call.ts';
import { readable } from '../grpc/readable.ts';
import { servedVersion } from '../grpc/version.ts';
import { readServedVersion } from './version.ts';

/** The version of a server that does not send one. TF-Serving always does; other servers of its protocol may not. */
const UNKNOWN_VERSION = 0;

/** TF-Serving's ModelVersionStatus.State by number. */
const STATES: Readonly<Record<number, ServableState>> = {
  10: 'START',
  20: 'LOADING',
  30: 'AVAILABLE',
  40: 'UNLOADING',
  50: 'END',
};

/** Reads a serialized GetModelMetadataResponse. Throws `model_failed` for other bytes. */
export function readMetadata(response: Uint8Array): Metadata {
  return readable(() => {
    const at = new FieldReader(response, { fields: MAX_LOOK_UP_FIELDS });
    let version = UNKNOWN_VERSION;
    let signatureDefs = new Uint8Array();
    while (at.next()) {
      if (at.field === 1) version = readServedVersion(at.message) ?? version;
      if (at.field !== 2) continue;
      const { key, value } = readEntry(at.message);
      // A copy, so that the response is not kept.
      if (key === 'signature_def' && value) signatureDefs = new Uint8Array(packedIn(value));
    }
    return { version, protocol: 'tf-serving', signatures: readSignatures(signatureDefs), signatureDefs };
  });
}

/** Reads a serialized GetModelStatusResponse: every version the server knows. Throws `model_failed` for other bytes. */
export function readStatus(response: Uint8Array): VersionStatus[] {
  return readable(() => {
    const at = new FieldReader(response, { fields: MAX_LOOK_UP_FIELDS });
    const versions: VersionStatus[] = [];
    while (at.next()) if (at.field === 1) versions.push(readVersion(at.message));
    return versions;
  });
}

function readVersion(at: FieldReader): VersionStatus {
  let version = 0;
  let state: ServableState = 'UNKNOWN';
  let health: Pick<VersionStatus, 'error' | 'code'> = { error: '' };
  while (at.next()) {
    if (at.field === 1) version = at.int64;
    if (at.field === 2) state = STATES[at.int32] ?? 'UNKNOWN';
    if (at.field === 3) health = readStatusProto(at.message);
  }
  return { version: servedVersion(version), state, ...health };
}

function readStatusProto(at: FieldReader): Pick<VersionStatus, 'error' | 'code'> {
  let error = '';
  let code: string | undefined;
  while (at.next()) {
    if (at.field === 1 && at.int32 !== status.OK) code = status[at.int32];
    if (at.field === 2) error = at.text.slice(0, MAX_ERROR_CHARACTERS);
  }
  return { error, ...(code !== undefined && { code }) };
}

/** The message that a google.protobuf.Any holds. */
function packedIn(any: FieldReader): Uint8Array {
  let bytes = new Uint8Array();
  while (any.next()) if (any.field === 2) bytes = any.bytes as typeof bytes;
  return bytes;
}

/** The signatures of a SignatureDefMap by their names. */
function readSignatures(signatureDefs: Uint8Array): ReadonlyMap<string, Signature> {
  const signatures = new Map<string, Signature>();
  const map = new FieldReader(signatureDefs, { fields: MAX_LOOK_UP_FIELDS });
  while (map.next()) {
    if (map.field !== 1) continue;
    const { key, value } = readEntry(map.message);
    signatures.set(key, value ? readSignature(value) : { inputs: [], outputs: [] });
  }
  return signatures;
}

function readSignature(at: FieldReader): Signature {
  const inputs = new Map<string, TensorInfo>();
  const outputs = new Map<string, TensorInfo>();
  while (at.next()) {
    if (at.field > 2) continue;
    const { key, value } = readEntry(at.message);
    (at.field === 1 ? inputs : outputs).set(key, readTensorInfo(key, value));
  }
  return { inputs: [...inputs.values()], outputs: [...outputs.values()] };
}

function readTensorInfo(name: string, at: FieldReader | undefined): TensorInfo {
  let dtype = 0;
  let shape: TensorInfo['shape'] = null;
  while (at?.next()) {
    if (at.field === 2) dtype = at.int32;
    if (at.field === 3) shape = readShape(at.message);
  }
  return { name, dtype: dtypeName(dtype), shape };
}

/** An entry of a map from strings to messages. */
function readEntry(entry: FieldReader): { readonly key: string; readonly value: FieldReader | undefined } {
  let key = '';
  let value: FieldReader | undefined;
  while (entry.next()) {
    if (entry.field === 1) key = entry.text;
    if (entry.field === 2) value = entry.message;
  }
  return { key, value };
}
