/** The TF-Serving RPCs that the gateway calls, and their messages as plain objects. */
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition, type MethodDefinition } from '@grpc/proto-loader';
import { GatewayError } from '../../errors.ts';
import type { TensorProto } from '../../tensor/tensor-proto.ts';

const PROTOS = fileURLToPath(new URL('../../../protos', import.meta.url));
const FILES = ['prediction_service.proto', 'model_service.proto'].map((file) => `tensorflow_serving/apis/${file}`);

export type ModelSpec = {
  readonly name: string;
  readonly version?: { readonly value: number };
  readonly version_label?: string;
};

type TensorInfoMessage = {
  readonly dtype: string;
  readonly tensor_shape: { readonly dim: readonly { readonly size: number }[]; readonly unknown_rank: boolean } | null;
};
export type TensorInfos = Readonly<Record<string, TensorInfoMessage>>;
export type SignatureDef = { readonly inputs: TensorInfos; readonly outputs: TensorInfos };

type PredictResponse = {
  readonly outputs: Readonly<Record<string, TensorProto>>;
  readonly model_spec: { readonly version: { readonly value: number } | null } | null;
};

type GetModelMetadataRequest = { readonly model_spec: ModelSpec; readonly metadata_field: readonly string[] };
type GetModelMetadataResponse = {
  readonly model_spec: { readonly version: { readonly value: number } | null } | null;
  /** Packed messages (google.protobuf.Any) by the name of the requested field. */
  readonly metadata: Readonly<Record<string, { readonly value: Buffer }>>;
};

type ModelVersionStatus = {
  readonly version: number;
  readonly state: string;
  readonly status: { readonly error_message: string } | null;
};
type GetModelStatusRequest = { readonly model_spec: ModelSpec };
type GetModelStatusResponse = { readonly model_version_status: readonly ModelVersionStatus[] };

export type Protocol = {
  readonly 'tensorflow.serving.PredictionService': {
    readonly Predict: MethodDefinition<object, PredictResponse>;
    readonly GetModelMetadata: MethodDefinition<GetModelMetadataRequest, GetModelMetadataResponse>;
  };
  readonly 'tensorflow.serving.ModelService': {
    readonly GetModelStatus: MethodDefinition<GetModelStatusRequest, GetModelStatusResponse>;
  };
  readonly 'tensorflow.serving.SignatureDefMap': MessageTypeDefinition<
    object,
    { readonly signature_def: Readonly<Record<string, SignatureDef>> }
  >;
};

/** Loads `protos/`: field names unchanged, enums by name, 64-bit integers as the nearest number. */
export function loadProtocol(): Protocol {
  const options = { includeDirs: [PROTOS], keepCase: true, enums: String, longs: Number, defaults: true };
  return loadSync(FILES, options) as unknown as Protocol;
}

/** Deserializes a message. Throws `model_failed` for bytes that cannot be parsed. */
export function parse<Message>(deserialize: (bytes: Buffer) => Message, bytes: Buffer): Message {
  try {
    return deserialize(bytes);
  } catch (cause) {
    throw unreadable(cause);
  }
}

/** The error for a response that the gateway cannot use. The client does not see the cause; the log does. */
export function unreadable(cause: unknown): GatewayError {
  return new GatewayError('model_failed', 'The model server sent a response that cannot be read.', { cause });
}
