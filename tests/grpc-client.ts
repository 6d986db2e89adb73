/** Calls the gateway's gRPC port with grpc-js and the messages of protos/. */
import { fileURLToPath } from 'node:url';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';

const PROTOS = fileURLToPath(new URL('../protos', import.meta.url));
const FILES = [
  'tensorflow_serving/apis/prediction_service.proto',
  'tensorflow_serving/apis/model_service.proto',
  'inference/grpc_inference_service.proto',
];
const definitions = loadSync(FILES, {
  includeDirs: [PROTOS],
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
}) as unknown as Readonly<Record<string, Readonly<Record<string, MethodDefinition<object, object>>>>>;

export const PREDICTION_SERVICE = 'tensorflow.serving.PredictionService';
export const MODEL_SERVICE = 'tensorflow.serving.ModelService';
export const INFERENCE_SERVICE = 'inference.GRPCInferenceService';

export type CallOptions = {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Gets the metadata of the answer. */
  readonly onMetadata?: (metadata: Metadata) => void;
};

export class GrpcClient {
  readonly #client: Client;

  constructor(target: string, channel = credentials.createInsecure()) {
    const options = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
    this.#client = new Client(target, channel, { ...options, 'grpc.use_local_subchannel_pool': 1 });
  }

  /** Resolves to the answer. Rejects with the ServiceError. `request`: a message, or its bytes. */
  call<Answer = Record<string, unknown>>(
    service: string,
    method: string,
    request: object | Buffer,
    { metadata = {}, timeoutMs = 20_000, onMetadata }: CallOptions = {},
  ): Promise<Answer> {
    const definition = definitions[service]?.[method];
    if (!definition) throw new TypeError(`${service}/${method}`);
    const { path, requestSerialize, responseDeserialize } = definition;
    const serialize = (message: object) => (Buffer.isBuffer(message) ? message : requestSerialize(message));
    const sent = new Metadata();
    for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + timeoutMs };
      const done = (error: ServiceError | null, answer?: object) => (error ? reject(error) : resolve(answer as Answer));
      const call = this.#client.makeUnaryRequest(path, serialize, responseDeserialize, request, sent, options, done);
      if (onMetadata) call.on('metadata', onMetadata);
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** The serialized message of a method's request. */
export function serializeRequest(service: string, method: string, request: object): Buffer {
  return definitions[service]?.[method]?.requestSerialize(request) ?? Buffer.alloc(0);
}
