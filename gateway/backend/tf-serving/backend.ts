/** The backend that speaks TF-Serving's gRPC protocol: PredictionService and ModelService. */

import type { Backend, Prediction, PredictTarget } from '../../domain/backend.ts';
import { GatewayError } from '../../errors.ts';
import { MAX_MESSAGE_BYTES } from '../grpc/channel.ts';
import type { ModelServers } from '../grpc/model-servers.ts';
import { createUnary, type OnStatus, type UnaryOptions } from '../grpc/unary.ts';
import { createLookUp } from './look-up.ts';
import { loadProtocol } from './messages.ts';

/** Room for all of a Predict but its tensor, generously. */
const HEAD_BYTES = 64 * 1024;

/** How tensors become bytes and bytes tensors. */
type PredictCodec = {
  createRequest(target: PredictTarget, capacity: number): PredictBytes;
  /** Reads a serialized PredictResponse. Throws `model_failed`. */
  readPrediction(answer: Uint8Array): Prediction;
};

/** A PredictRequest whose tensor is written in place. */
type PredictBytes = {
  readonly tensor: Float32Array | Uint8Array;
  /** The serialized request with the first `count` instances, behind gRPC's prefix. */
  framed(count: number): Buffer;
  /** Gives the memory back. */
  release(): void;
};

export type TfServingOptions = UnaryOptions & {
  /** Closed together with the backend. */
  readonly client: ModelServers;
  readonly codec: PredictCodec;
  readonly onStatus: OnStatus;
};

/** Makes the backend of a client's model servers. RPCs fail with the GatewayErrors of failure.ts. */
export function createTfServing({ client, codec, onStatus, ...options }: TfServingOptions): Backend {
  const unary = createUnary(client, onStatus, options);
  const protocol = loadProtocol();
  const { Predict } = protocol['tensorflow.serving.PredictionService'];

  return {
    ...createLookUp(unary, protocol),
    prepare(target, capacity) {
      checkSize(target, capacity);
      const request = codec.createRequest(target, capacity);
      return {
        get tensor() {
          return request.tensor;
        },
        release: request.release,
        async send(count, { deadlineMs, signal }) {
          const { path } = Predict;
          const { model } = target.servable;
          return codec.readPrediction(await unary({ path, model, framed: request.framed(count), deadlineMs, signal }));
        },
      };
    },
    close() {
      client.close();
    },
  };
}

/** Refuses a request that could not be sent, before memory is taken for it. */
function checkSize({ input }: PredictTarget, capacity: number): void {
  const elementBytes = input.dtype === 'DT_FLOAT' ? 4 : 1;
  const instanceBytes = input.shape.reduce((product, size) => product * size, elementBytes);
  const most = Math.floor((MAX_MESSAGE_BYTES - HEAD_BYTES) / instanceBytes);
  if (capacity <= most) return;
  throw new GatewayError('body_too_large', `instances: the model takes at most ${most} in one request; send fewer.`);
}
