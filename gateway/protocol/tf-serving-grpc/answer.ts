/** Writes the answers that do not come from a model server: GetModelMetadataResponse and GetModelStatusResponse. */
import { status as codes } from '@grpc/grpc-js';
import type { ServableState, VersionStatus } from '../../domain/servable.ts';
import { message } from '../../tensor/message.ts';

const TYPE_URL = 'type.googleapis.com/tensorflow.serving.SignatureDefMap';

/** The numbers of ModelVersionStatus.State. */
const STATES: Readonly<Record<ServableState, number>> = {
  UNKNOWN: 0,
  START: 10,
  LOADING: 20,
  AVAILABLE: 30,
  UNLOADING: 40,
  END: 50,
};

/** `signatureDefs`: a serialized SignatureDefMap. Field numbers: get_model_metadata.proto, model.proto, any.proto. */
export function writeMetadata(model: string, version: number, signatureDefs: Uint8Array): Uint8Array {
  const any = message([
    [1, TYPE_URL],
    [2, signatureDefs],
  ]);
  const modelSpec = message([
    [1, model],
    [2, message([[1, version]])],
  ]);
  const entry = message([
    [1, 'signature_def'],
    [2, any],
  ]);
  return message([
    [1, modelSpec],
    [2, entry],
  ]);
}

/** Field numbers: get_model_status.proto, status.proto. */
export function writeStatuses(statuses: readonly VersionStatus[]): Uint8Array {
  return message(
    statuses.map(({ version, state, error, code = 'OK' }) => {
      const status = message([
        [1, codes[code as keyof typeof codes] ?? codes.UNKNOWN],
        [2, error],
      ]);
      const versionStatus = message([
        [1, version],
        [2, STATES[state]],
        [3, status],
      ]);
      return [1, versionStatus];
    }),
  );
}
