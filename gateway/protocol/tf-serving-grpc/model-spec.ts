/** The ModelSpec of a request (model.proto): which servable and signature it asks for. */
import type { Servable } from '../../domain/servable.ts';
import { GatewayError } from '../../errors.ts';
import { DEFAULT_SIGNATURE } from '../../pipeline/signature.ts';
import type { FieldReader } from '../../tensor/field-reader.ts';

export type AskedSpec = { readonly servable: Servable; readonly signature: string };

/** Reads a ModelSpec. Throws `invalid_request` without a name, and for a version that is out of range. */
export function readModelSpec(at: FieldReader): AskedSpec {
  let [name, signature]: [string, string] = ['', ''];
  let choice: Pick<Servable, 'version' | 'label'> = {};
  while (at.next()) {
    if (at.field === 1) name = at.text;
    // A oneof: the last one counts.
    if (at.field === 2) choice = { version: readVersion(at.message) };
    if (at.field === 3) signature = at.text;
    if (at.field === 4) choice = { label: at.text };
  }
  if (name === '') throw new GatewayError('invalid_request', 'model_spec.name: is missing; send the name of a model.');
  return { servable: { model: name, ...choice }, signature: signature || DEFAULT_SIGNATURE };
}

/** A google.protobuf.Int64Value. */
function readVersion(at: FieldReader): number {
  let version = 0;
  while (at.next()) if (at.field === 1) version = at.int64;
  if (Number.isSafeInteger(version) && version >= 0) return version;
  const range = `a whole number from 0 to 2^53 - 1 (${Number.MAX_SAFE_INTEGER})`;
  throw new GatewayError('invalid_request', `model_spec.version: must be ${range}.`);
}
