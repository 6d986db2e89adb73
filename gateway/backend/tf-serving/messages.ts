/** The TF-Serving RPCs that the gateway calls, and their requests as plain objects. */
import { fileURLToPath } from 'node:url';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';

const PROTOS = fileURLToPath(new URL('../../../protos', import.meta.url));
const FILES = ['prediction_service.proto', 'model_service.proto'].map((file) => `tensorflow_serving/apis/${file}`);

export type ModelSpec = {
  readonly name: string;
  readonly version?: { readonly value: number };
  readonly version_label?: string;
};

type GetModelMetadataRequest = { readonly model_spec: ModelSpec; readonly metadata_field: readonly string[] };
type GetModelStatusRequest = { readonly model_spec: ModelSpec };

/** Responses are read by field-reader.ts: only the fields that are wanted, in bounded time. */
export type Protocol = {
  readonly 'tensorflow.serving.PredictionService': {
    readonly Predict: MethodDefinition<object, object>;
    readonly GetModelMetadata: MethodDefinition<GetModelMetadataRequest, object>;
  };
  readonly 'tensorflow.serving.ModelService': {
    readonly GetModelStatus: MethodDefinition<GetModelStatusRequest, object>;
  };
};

/** Loads `protos/`, with field names unchanged. */
export function loadProtocol(): Protocol {
  return loadSync(FILES, { includeDirs: [PROTOS], keepCase: true }) as unknown as Protocol;
}
