/** The version in a ModelSpec (model.proto). */
import type { FieldReader } from '../../tensor/field-reader.ts';
import { servedVersion } from '../grpc/version.ts';

/** The version in a ModelSpec, where it has one. Throws `model_failed` for one that is out of range. */
export function readServedVersion(spec: FieldReader): number | undefined {
  let version: number | undefined;
  while (spec.next()) if (spec.field === 2) version = readInt64Value(spec.message);
  return version === undefined ? undefined : servedVersion(version);
}

function readInt64Value(wrapper: FieldReader): number {
  let value = 0;
  while (wrapper.next()) if (wrapper.field === 1) value = wrapper.int64;
  return value;
}
