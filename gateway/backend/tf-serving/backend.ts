/** The backend that speaks TF-Serving's gRPC protocol: PredictionService and ModelService. */
import type { Backend } from '../../domain/backend.ts';
import { writeString } from '../../tensor/write-tensor.ts';
import { createGrpcBackend, type GrpcBackendOptions } from '../grpc/backend.ts';
import type { PredictMessages, RelayMessages } from '../grpc/protocol.ts';
import { createLookUp } from './look-up.ts';
import { loadProtocol } from './messages.ts';
import { writeHead, writeModelSpec, writeTensors } from './predict-request.ts';
import { readAnsweredVersion, readPrediction } from './predict-response.ts';

const SERVICE = '/tensorflow.serving.PredictionService';

export const PREDICT: PredictMessages = {
  path: `${SERVICE}/Predict`,
  otherTensors: /signature|tensor alias/i,
  batchLimit: /larger than maximum input batch size (\d+)/i,
  writeString,
  writeHead,
  writeTensors,
  readPrediction,
};

const RELAY: RelayMessages = {
  paths: { Predict: `${SERVICE}/Predict`, Classify: `${SERVICE}/Classify`, Regress: `${SERVICE}/Regress` },
  writeServable: writeModelSpec,
  readVersion: readAnsweredVersion,
};

/** Makes the backend. */
export function createTfServing(options: GrpcBackendOptions): Backend {
  const protocol = loadProtocol();
  return createGrpcBackend(options, (unary) => ({
    predict: PREDICT,
    relay: RELAY,
    lookUp: createLookUp(unary, protocol),
  }));
}
