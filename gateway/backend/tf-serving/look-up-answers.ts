/** Reads what TF-Serving tells of its models: GetModelMetadata's and GetModelStatus's answers as domain types. */

import type { Metadata, ServableState, VersionStatus } from '../../domain/servable.ts';
import type { Signature, TensorInfo } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import type { Protocol, SignatureDef, TensorInfos } from './messages.ts';

/** The version of a server that keeps it to itself: TF-Serving always tells, others that speak its protocol may not. */
const UNTOLD = 0;

/** Reads a serialized GetModelMetadataResponse. Throws `model_failed` for bytes that are none. */
export function readMetadata(protocol: Protocol, answer: Buffer): Metadata {
  const { GetModelMetadata } = protocol['tensorflow.serving.PredictionService'];
  const { deserialize } = protocol['tensorflow.serving.SignatureDefMap'];
  const { model_spec: spec, metadata } = parse(GetModelMetadata.responseDeserialize, answer);
  const packed = metadata.signature_def?.value ?? Buffer.alloc(0);
  const signatures = Object.entries(parse(deserialize, packed).signature_def);
  return {
    version: exactVersion(spec?.version?.value ?? UNTOLD),
    signatures: new Map(signatures.map(([name, signature]) => [name, toSignature(signature)])),
  };
}

/** Reads a serialized GetModelStatusResponse: every version that the server knows. Throws `model_failed`. */
export function readStatus(protocol: Protocol, answer: Buffer): VersionStatus[] {
  const { GetModelStatus } = protocol['tensorflow.serving.ModelService'];
  const { model_version_status: versions } = parse(GetModelStatus.responseDeserialize, answer);
  return versions.map(({ version, state, status }) => ({
    version: exactVersion(version),
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

/** Versions are 64-bit; one beyond 2^53 would be asked for under another number, so it is refused. */
function exactVersion(version: number): number {
  if (Number.isSafeInteger(version)) return version;
  throw unreadable(new Error(`version ${version} is not a whole number below 2^53`));
}

function parse<Message>(deserialize: (bytes: Buffer) => Message, bytes: Buffer): Message {
  try {
    return deserialize(bytes);
  } catch (cause) {
    throw unreadable(cause);
  }
}

function unreadable(cause: unknown): GatewayError {
  return new GatewayError('model_failed', 'The model server answered with something that cannot be read.', { cause });
}
