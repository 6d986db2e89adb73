/** The backend that speaks TF-Serving's gRPC protocol: PredictionService and ModelService. */
import { performance } from 'node:perf_hooks';
import type { Client } from '@grpc/grpc-js';
import { GatewayError } from '../errors.ts';
import type { Backend, Prediction, PredictTarget, Servable } from '../pipeline/request.ts';
import { readMetadata, readStatus } from './answers.ts';
import { MAX_MESSAGE_BYTES } from './channel.ts';
import { loadProtocol, type ModelSpec } from './messages.ts';
import { createUnary, type OnStatus } from './unary.ts';

/** Room for all of a Predict but its tensor, generously. */
const HEAD_BYTES = 64 * 1024;

/** Metadata and status come from the server's memory; a server that takes longer is not well. */
const LOOK_UP_TIMEOUT_MS = 5000;

/** How tensors become bytes and bytes tensors. */
type PredictCodec = {
  createRequest(target: PredictTarget, capacity: number): PredictBytes;
  /** Reads a serialized PredictResponse. Throws `model_failed`. */
  readPrediction(answer: Uint8Array): Prediction;
};

/** A PredictRequest whose tensor is written in place. */
type PredictBytes = {
  readonly tensor: Float32Array | Uint8Array;
  /** The serialized request with the first `count` instances. */
  bytes(count: number): Buffer;
  /** Gives the memory back. */
  release(): void;
};

export type TfServingOptions = {
  /** Closed together with the backend. */
  readonly client: Client;
  readonly codec: PredictCodec;
  readonly onStatus: OnStatus;
};

/** Makes the backend of a client's model servers. RPCs fail with the GatewayErrors of failure.ts. */
export function createTfServing({ client, codec, onStatus }: TfServingOptions): Backend {
  const unary = createUnary(client, onStatus);
  const protocol = loadProtocol();
  const { Predict, GetModelMetadata } = protocol['tensorflow.serving.PredictionService'];
  const { GetModelStatus } = protocol['tensorflow.serving.ModelService'];

  return {
    prepare(target, capacity) {
      checkSize(target, capacity);
      const request = codec.createRequest(target, capacity);
      return {
        tensor: request.tensor,
        release: request.release,
        async send(count, { deadlineMs, signal }) {
          const { path } = Predict;
          return codec.readPrediction(await unary({ path, request: request.bytes(count), deadlineMs, signal }));
        },
      };
    },
    async metadata(servable, signal) {
      const { path, requestSerialize } = GetModelMetadata;
      const request = requestSerialize({ model_spec: modelSpec(servable), metadata_field: ['signature_def'] });
      return readMetadata(protocol, await unary({ path, request, deadlineMs: lookUpDeadlineMs(), signal }));
    },
    async status(model, signal) {
      const { path, requestSerialize } = GetModelStatus;
      const request = requestSerialize({ model_spec: { name: model } });
      return readStatus(protocol, await unary({ path, request, deadlineMs: lookUpDeadlineMs(), signal }));
    },
    close() {
      client.close();
    },
  };
}

function lookUpDeadlineMs(): number {
  return performance.now() + LOOK_UP_TIMEOUT_MS;
}

/** Refuses a request that could not be sent, before memory is taken for it. */
function checkSize({ input }: PredictTarget, capacity: number): void {
  const elementBytes = input.dtype === 'DT_FLOAT' ? 4 : 1;
  const instanceBytes = input.shape.reduce((product, size) => product * size, elementBytes);
  const most = Math.floor((MAX_MESSAGE_BYTES - HEAD_BYTES) / instanceBytes);
  if (capacity <= most) return;
  throw new GatewayError('body_too_large', `instances: the model takes at most ${most} in one request; send fewer.`);
}

function modelSpec({ model, version, label }: Servable): ModelSpec {
  return {
    name: model,
    ...(version !== undefined && { version: { value: version } }),
    ...(label !== undefined && { version_label: label }),
  };
}
