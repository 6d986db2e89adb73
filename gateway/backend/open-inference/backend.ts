/** The backend that speaks the Open Inference Protocol over gRPC: inference.GRPCInferenceService. */
import type { Backend } from '../../domain/backend.ts';
import { createGrpcBackend, type GrpcBackendOptions } from '../grpc/backend.ts';
import type { PredictMessages, RelayMessages } from '../grpc/protocol.ts';
import { createLookUp } from './look-up.ts';
import { createWriters } from './predict-request.ts';
import { readAnswer, readAnsweredVersion } from './predict-response.ts';
import { Versions } from './versions.ts';

const PATH = '/inference.GRPCInferenceService/ModelInfer';

/** The texts of Triton, OpenVINO Model Server and this gateway. */
const OTHER_TENSORS =
  /unexpected inference (in|out)put|expects '?[A-Z\d]+|expected \d+ inputs|(unexpected|invalid) number of inputs|missing input|input precision|no such input|datatype: expected|is missing; the model has/i;

/** The messages, with versions as `versions` knows them. */
export function createMessages(versions: Versions): {
  readonly predict: PredictMessages;
  readonly relay: RelayMessages;
} {
  const { writeServable, ...writers } = createWriters(versions);
  return {
    predict: {
      path: PATH,
      otherTensors: OTHER_TENSORS,
      batchLimit: /batch-size must be <= (\d+)/,
      ...writers,
      async readPrediction(response, wanted, servable) {
        const { version, outputs } = await readAnswer(response, wanted);
        return { version: versions.answered(servable, version), outputs };
      },
    },
    relay: {
      paths: { ModelInfer: PATH },
      writeServable,
      readVersion: (response, servable) => versions.answered(servable, readAnsweredVersion(response)),
    },
  };
}

/** Makes the backend. */
export function createOpenInference(options: GrpcBackendOptions): Backend {
  const versions = new Versions();
  return createGrpcBackend(options, (unary) => ({
    ...createMessages(versions),
    lookUp: createLookUp(unary, versions),
  }));
}
