/** The backend that speaks TF-Serving's gRPC protocol: PredictionService and ModelService. */

import type { Backend, PredictCall, Prediction, PredictTarget, TensorsTarget } from '../../domain/backend.ts';
import { ELEMENTS } from '../../domain/elements.ts';
import type { RequestContext } from '../../domain/request.ts';
import { elementCount } from '../../domain/shape.ts';
import { GatewayError } from '../../errors.ts';
import { createPool } from '../../tensor/pool.ts';
import { MAX_MESSAGE_BYTES } from '../grpc/channel.ts';
import { asInvalidTensor, asUndecodable } from '../grpc/failure.ts';
import type { ModelServers } from '../grpc/model-servers.ts';
import { createUnary, type OnStatus, type UnaryOptions, waitForConnection } from '../grpc/unary.ts';
import { maxAnswerBytes, wantedOf } from './answer-size.ts';
import { createLookUp } from './look-up.ts';
import { loadProtocol } from './messages.ts';
import { createPredictRequest } from './predict-request.ts';
import { readPrediction } from './predict-response.ts';
import { createRelay } from './relay.ts';
import type { PredictRequest } from './request-type.ts';
import { frameTensors } from './tensors-request.ts';

/** Unused request memory to keep: one request of 64 images of 299 x 299, or as many requests of one image. */
const POOL_BYTES = 66 * 2 ** 20;

/** A generous bound for everything in a PredictRequest but its tensor. */
const HEAD_BYTES = 64 * 1024;

export type TfServingOptions = UnaryOptions & {
  /** Closed together with the backend. */
  readonly client: ModelServers;
  readonly onStatus: OnStatus;
  /** The most bytes of an answer for each instance. */
  readonly maxOutputBytes: number;
};

/** Makes the backend for a client's model servers. Failed RPCs throw the GatewayErrors of failure.ts. */
export function createTfServing(options: TfServingOptions): Backend {
  const { client, onStatus, maxOutputBytes, hedgeAfterMs, onExtraAttempt } = options;
  const unary = createUnary(client, onStatus, { hedgeAfterMs, onExtraAttempt });
  const protocol = loadProtocol();
  const { path } = protocol['tensorflow.serving.PredictionService'].Predict;
  const pool = createPool(POOL_BYTES);

  async function sendPredict(
    target: TensorsTarget,
    framed: Buffer,
    rows: number,
    { deadlineMs, signal }: RequestContext,
  ): Promise<Prediction> {
    const { only, servable } = target;
    const maxResponseBytes = maxAnswerBytes(target, rows, maxOutputBytes);
    const rpc = { path, model: servable.model, only, framed, maxResponseBytes, deadlineMs, signal };
    return readPrediction(await unary(rpc), wantedOf(target, rows, maxResponseBytes));
  }

  function callOf(target: PredictTarget, request: PredictRequest): PredictCall {
    return {
      get tensor() {
        return request.tensor;
      },
      setString: request.setString,
      inputBytes: request.inputBytes,
      release: request.release,
      single(row) {
        const single = createPredictRequest(pool, target, 1);
        single.copyFrom(request, row);
        return callOf(target, single);
      },
      async send(count, context) {
        return sendPredict(target, request.framed(count), count, context).catch((thrown: unknown) => {
          throw target.input.dtype === 'DT_STRING' ? asUndecodable(thrown) : thrown;
        });
      },
    };
  }

  return {
    ...createLookUp(unary, protocol),
    relay: createRelay(unary, maxOutputBytes),
    servers: () => client.addresses,
    connect: () => waitForConnection(client),
    prepare(target, capacity) {
      checkSize(target, capacity);
      return callOf(target, createPredictRequest(pool, target, capacity));
    },
    async predict(target, inputs, rows, context) {
      const { framed, release } = frameTensors(pool, target, inputs);
      const prediction = await sendPredict(target, framed, rows, context).catch((thrown: unknown) => {
        throw asInvalidTensor(thrown);
      });
      release();
      return prediction;
    },
    close() {
      client.close();
    },
  };
}

/** Refuses a request above the message limit, before memory is taken for it. */
function checkSize({ input }: PredictTarget, capacity: number): void {
  // The length of strings is known later: string-request.ts checks it.
  if (input.dtype === 'DT_STRING') return;
  const elementBytes = ELEMENTS[input.dtype].BYTES_PER_ELEMENT;
  const instanceBytes = elementBytes * elementCount(input.shape);
  const most = Math.floor((MAX_MESSAGE_BYTES - HEAD_BYTES) / instanceBytes);
  if (capacity <= most) return;
  throw new GatewayError('body_too_large', `instances: the model takes at most ${most} in one request; send fewer.`);
}
