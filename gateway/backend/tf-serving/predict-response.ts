/** Reads a serialized PredictResponse: the version that answered and all its output tensors. */
import type { Prediction } from '../../domain/backend.ts';
import { createFillBudget, readTensor } from '../../tensor/tensor-proto.ts';
import { type Protocol, parse } from './messages.ts';
import { servedVersion } from './version.ts';

/**
 * Makes the reader of a PredictResponse's bytes. Outputs of a dtype other than numbers and strings are left out: a
 * model may have outputs that the gateway does not use. The reader throws `model_failed` for bytes that are no
 * PredictResponse.
 */
export function createPredictionReader(protocol: Protocol): (response: Uint8Array) => Prediction {
  const { responseDeserialize } = protocol['tensorflow.serving.PredictionService'].Predict;
  return (response) => {
    const bytes = Buffer.from(response.buffer, response.byteOffset, response.length);
    const { outputs, model_spec: spec } = parse(responseDeserialize, bytes);
    const version = spec?.version?.value;
    const budget = createFillBudget();
    const tensors = Object.entries(outputs).flatMap(([name, proto]) => {
      const tensor = readTensor(proto, budget);
      return tensor ? [[name, tensor] as const] : [];
    });
    return { version: version === undefined ? undefined : servedVersion(version), outputs: new Map(tensors) };
  };
}
