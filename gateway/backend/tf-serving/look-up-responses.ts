/** Reads the responses of GetModelMetadata and GetModelStatus as domain types. */
import type { Metadata, ServableState, VersionStatus } from '../../domain/servable.ts';
import type { Signature, TensorInfo } from '../../domain/tensor.ts';
import { type Protocol, parse, type SignatureDef, type TensorInfos } from './messages.ts';
import { servedVersion } from './version.ts';

/** The version of a server that does not send one. TF-Serving always does; other servers of its protocol may not. */
const UNKNOWN_VERSION = 0;

/** Reads a serialized GetModelMetadataResponse. Throws `model_failed` for other bytes. */
export function readMetadata(protocol: Protocol, response: Buffer): Metadata {
  const { GetModelMetadata } = protocol['tensorflow.serving.PredictionService'];
  const { deserialize } = protocol['tensorflow.serving.SignatureDefMap'];
  const { model_spec: spec, metadata } = parse(GetModelMetadata.responseDeserialize, response);
  const packed = metadata.signature_def?.value ?? Buffer.alloc(0);
  const signatures = Object.entries(parse(deserialize, packed).signature_def);
  return {
    version: servedVersion(spec?.version?.value ?? UNKNOWN_VERSION),
    signatures: new Map(signatures.map(([name, signature]) => [name, toSignature(signature)])),
  };
}

/** Reads a serialized GetModelStatusResponse: every version the server knows. Throws `model_failed` for other bytes. */
export function readStatus(protocol: Protocol, response: Buffer): VersionStatus[] {
  const { GetModelStatus } = protocol['tensorflow.serving.ModelService'];
  const { model_version_status: versions } = parse(GetModelStatus.responseDeserialize, response);
  return versions.map(({ version, state, status }) => ({
    version: servedVersion(version),
    state: state as ServableState,
    error: status?.error_message ?? '',
  }));
}

function toSignature({ inputs, outputs }: SignatureDef): Signature {
  return { inputs: toTensorInfos(inputs), outputs: toTensorInfos(outputs) };
}

function toTensorInfos(infos: TensorInfos): TensorInfo[] {
  return Object.entries(infos).map(([name, { dtype, tensor_shape: shape }]) => ({
    name,
    dtype,
    shape: shape && !shape.unknown_rank ? shape.dim.map(({ size }) => size) : null,
  }));
}
