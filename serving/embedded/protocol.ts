/** The parts of TF-Serving's gRPC API that this server supports: service definitions and message types. */

import { fileURLToPath } from 'node:url';
import { type GrpcObject, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { type AnyDefinition, loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';

const PROTOS = fileURLToPath(new URL('../../protos', import.meta.url));

type Dim = { size: string | number; name?: string };
type TensorShape = { dim: Dim[]; unknown_rank?: boolean };

export type TensorProto = {
  dtype: string | number;
  tensor_shape: TensorShape | null;
  tensor_content: Buffer;
  float_val: number[];
  double_val: number[];
  int_val: number[];
  string_val: Buffer[];
  int64_val: string[];
  bool_val: boolean[];
  half_val: number[];
  uint32_val: number[];
  uint64_val: string[];
};

/** The signature used when `signature_name` is empty. */
export const DEFAULT_SIGNATURE = 'serving_default';

export type ModelSpec = {
  name: string;
  version?: { value: string | number };
  version_label?: string;
  signature_name?: string;
};

/** Message fields that are not set are `null`. Lists and maps are always present. */
export type PredictRequest = {
  model_spec: ModelSpec | null;
  inputs: Record<string, TensorProto>;
  output_filter: string[];
};
export type PredictResponse = { model_spec: ModelSpec; outputs: Record<string, Partial<TensorProto>> };

/** The feature has none of the lists if it is missing. */
export type Feature = {
  readonly bytes_list?: { readonly value: readonly Buffer[] };
  readonly float_list?: { readonly value: readonly number[] };
  readonly int64_list?: { readonly value: readonly string[] };
};
export type Example = { readonly features: { readonly feature: Readonly<Record<string, Feature>> } | null };
export type Input = {
  readonly example_list?: { readonly examples: readonly Example[] };
  readonly example_list_with_context?: { readonly examples: readonly Example[]; readonly context: Example | null };
};
/** A ClassificationRequest or RegressionRequest. */
export type ExampleRequest = { model_spec: ModelSpec | null; input: Input | null };
export type Classifications = { classes: { label?: string; score?: number }[] };
export type ClassificationResponse = { model_spec: ModelSpec; result: { classifications: Classifications[] } };
export type RegressionResponse = { model_spec: ModelSpec; result: { regressions: { value: number }[] } };

type TensorInfo = { name: string; dtype: string; tensor_shape: TensorShape };
export type SignatureDef = {
  inputs: Record<string, TensorInfo>;
  outputs: Record<string, TensorInfo>;
  method_name: string;
};
export type GetModelMetadataRequest = { model_spec: ModelSpec | null; metadata_field: string[] };
export type GetModelMetadataResponse = {
  model_spec: ModelSpec;
  metadata: Record<string, { type_url: string; value: Buffer }>;
};

type StatusProto = { error_code: string; error_message: string };
/** ModelVersionStatus.State without UNKNOWN, in the order of a version's life cycle. */
export type ServableState = 'START' | 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'END';
export type ModelVersionStatus = { version: string | number; state: ServableState; status: StatusProto };
export type GetModelStatusRequest = { model_spec: ModelSpec | null };
export type GetModelStatusResponse = { model_version_status: ModelVersionStatus[] };

export type VersionPolicy = {
  latest?: { num_versions?: number };
  all?: object;
  specific?: { versions?: (string | number)[] };
};
export type ModelConfigMessage = {
  name?: string;
  base_path?: string;
  model_platform?: string;
  model_version_policy?: VersionPolicy | null;
  version_labels?: Record<string, string | number>;
};
export type ReloadConfigRequest = {
  config: { model_config_list?: { config: ModelConfigMessage[] } | null } | null;
};
export type ReloadConfigResponse = { status: StatusProto };

export type Protocol = {
  readonly predictionService: ServiceClientConstructor;
  readonly modelService: ServiceClientConstructor;
  /** Serializes signatures for the `signature_def` entry of GetModelMetadataResponse. */
  serializeSignatureDefMap(map: { signature_def: Record<string, SignatureDef> }): Buffer;
};

/** Loads the .proto files. Fields keep their proto names; int64 values are decimal strings. */
export function loadProtocol(): Protocol {
  const definition = loadSync(
    ['tensorflow_serving/apis/prediction_service.proto', 'tensorflow_serving/apis/model_service.proto'],
    { includeDirs: [PROTOS], keepCase: true, longs: String, enums: String, defaults: true },
  );
  const signatureDefMap = definition['tensorflow.serving.SignatureDefMap'];
  if (signatureDefMap === undefined || !isMessage(signatureDefMap)) {
    throw new Error('The protos do not define tensorflow.serving.SignatureDefMap');
  }
  const { serving } = loadPackageDefinition(definition).tensorflow as { serving: GrpcObject };
  return {
    predictionService: serving.PredictionService as ServiceClientConstructor,
    modelService: serving.ModelService as ServiceClientConstructor,
    serializeSignatureDefMap: (map) => signatureDefMap.serialize(map),
  };
}

function isMessage(definition: AnyDefinition): definition is MessageTypeDefinition<object, object> {
  return 'serialize' in definition && typeof definition.serialize === 'function';
}
