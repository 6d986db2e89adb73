/** Reads a serialized PredictResponse: the version that answered and all its output tensors. */
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import type { Prediction } from '../../domain/backend.ts';
import { GatewayError } from '../../errors.ts';
import { createFillRoom, readTensor, type TensorProto } from '../../tensor/tensor-proto.ts';

const PROTOS = fileURLToPath(new URL('../../../protos', import.meta.url));

type PredictResponse = {
  readonly outputs: Readonly<Record<string, TensorProto>>;
  readonly model_spec: { readonly version: { readonly value: number } | null } | null;
};

/**
 * Makes the reader of a PredictResponse's bytes. Outputs of a type without numbers or strings are left out: a model may
 * have more outputs than anybody asks for. The reader throws `model_failed` for anything that is not such an answer.
 */
export function createPredictionReader(): (answer: Uint8Array) => Prediction {
  const response = loadPredictResponse();
  return (answer) => {
    const { outputs, model_spec: spec } = decode(response, answer);
    const version = spec?.version?.value;
    if (version !== undefined && !Number.isSafeInteger(version)) throw unreadable(`version ${version}`);
    const room = createFillRoom();
    const read = Object.entries(outputs).flatMap(([name, proto]) => {
      const tensor = readTensor(proto, room);
      return tensor ? [[name, tensor] as const] : [];
    });
    return { version, outputs: new Map(read) };
  };
}

type Response = MessageTypeDefinition<object, PredictResponse>;

function loadPredictResponse(): Response {
  const file = 'tensorflow_serving/apis/predict.proto';
  const definitions = loadSync(file, {
    includeDirs: [PROTOS],
    keepCase: true,
    enums: String,
    longs: Number,
    defaults: true,
  });
  return definitions['tensorflow.serving.PredictResponse'] as Response;
}

function decode(response: Response, answer: Uint8Array): PredictResponse {
  try {
    return response.deserialize(Buffer.from(answer.buffer, answer.byteOffset, answer.length));
  } catch (cause) {
    throw unreadable(cause);
  }
}

function unreadable(cause: unknown): GatewayError {
  return new GatewayError('model_failed', 'The model server answered with something that cannot be read.', { cause });
}
