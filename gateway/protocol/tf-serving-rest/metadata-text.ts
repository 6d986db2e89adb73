/** The JSON of …/metadata: GetModelMetadataResponse in proto3's JSON mapping, with every field. */
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import type { Metadata } from '../../domain/servable.ts';
import type { Signature, TensorInfo } from '../../domain/tensor.ts';

/** The names of fields stay as they are, 64-bit integers and enums are strings, bytes are base64. */
const definitions = loadSync('tensorflow_serving/apis/get_model_metadata.proto', {
  includeDirs: [fileURLToPath(new URL('../../../protos', import.meta.url))],
  keepCase: true,
  longs: String,
  enums: String,
  bytes: String,
  defaults: true,
});
const { deserialize } = definitions['tensorflow.serving.SignatureDefMap'] as MessageTypeDefinition<object, object>;

/** Reading the signatures of a large model takes milliseconds, so it is done once for each version. */
const known = new WeakMap<Metadata, string>();

/** The metadata of one version. Without the server's SignatureDefMap, the names of tensors are those of the signature. */
export function metadataText(model: string, metadata: Metadata): string {
  const signatures = known.get(metadata) ?? JSON.stringify(signatureDefs(metadata));
  known.set(metadata, signatures);
  const spec = JSON.stringify({ name: model, signature_name: '', version: String(metadata.version) });
  return `{"model_spec":${spec},"metadata":{"signature_def":${signatures}}}`;
}

function signatureDefs({ signatures, signatureDefs: bytes }: Metadata): object {
  if (bytes) return deserialize(Buffer.from(bytes));
  return { signature_def: Object.fromEntries(Array.from(signatures, ([name, one]) => [name, signatureDef(one)])) };
}

function signatureDef({ inputs, outputs }: Signature): object {
  const infos = (list: readonly TensorInfo[]) => Object.fromEntries(list.map((info) => [info.name, tensorInfo(info)]));
  return { inputs: infos(inputs), outputs: infos(outputs), method_name: 'tensorflow/serving/predict', defaults: {} };
}

function tensorInfo({ name, dtype, shape }: TensorInfo): object {
  const dim = (shape ?? []).map((size) => ({ size: String(size), name: '' }));
  return { name, dtype, tensor_shape: { dim, unknown_rank: shape === null } };
}
