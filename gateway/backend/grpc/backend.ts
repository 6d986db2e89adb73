/** A backend of servers that are called by gRPC, in any of their protocols. */

import type { Backend, PredictCall, Prediction, PredictTarget, TensorsTarget } from '../../domain/backend.ts';
import { ELEMENTS } from '../../domain/elements.ts';
import type { RequestContext } from '../../domain/request.ts';
import { elementCount } from '../../domain/shape.ts';
import { GatewayError } from '../../errors.ts';
import { createPool, type Pool } from '../../tensor/pool.ts';
import { type AnswerLimits, withAnswerMemory } from './answer-memory.ts';
import { maxAnswerBytes, wantedOf } from './answer-size.ts';
import { MAX_MESSAGE_BYTES } from './channel.ts';
import { asInvalidTensor, asTooManyInstances, asUndecodable } from './failure.ts';
import type { ModelServers } from './model-servers.ts';
import { createPredictRequest } from './predict-request.ts';
import type { ServerProtocol } from './protocol.ts';
import { createRelay } from './relay.ts';
import type { PredictRequest } from './request-type.ts';
import { frameTensors } from './tensors-request.ts';
import { createUnary, type OnStatus, type Unary, type UnaryOptions, waitForConnection } from './unary.ts';

/** Unused request memory to keep: one request of 64 images of 299 x 299, or as many requests of one image. */
export const POOL_BYTES = 66 * 2 ** 20;

/** A generous bound for everything in a request but its tensor. */
const HEAD_BYTES = 64 * 1024;

export type GrpcBackendOptions = UnaryOptions &
  AnswerLimits & {
    /** Closed together with the backend. */
    readonly client: ModelServers;
    readonly onStatus: OnStatus;
    /** Memory of requests. Backends may share it. Unset: its own, of POOL_BYTES. */
    readonly pool?: Pool | undefined;
  };

/** Makes the backend for a client's model servers. Failed RPCs throw the GatewayErrors of failure.ts. */
export function createGrpcBackend(options: GrpcBackendOptions, open: (unary: Unary) => ServerProtocol): Backend {
  const { client, onStatus, maxOutputBytes, answers, hedgeAfterMs, onExtraAttempt } = options;
  const { pool = createPool(POOL_BYTES) } = options;
  const unary = createUnary(client, onStatus, { hedgeAfterMs, onExtraAttempt });
  const protocol = open(unary);
  const { path, otherTensors, batchLimit, readPrediction } = protocol.predict;

  async function sendPredict(
    target: TensorsTarget,
    framed: Buffer,
    rows: number,
    context: RequestContext,
  ): Promise<Prediction> {
    const { deadlineMs, signal, trace, span } = context;
    const { only, servable } = target;
    const maxResponseBytes = maxAnswerBytes(target, rows, maxOutputBytes);
    span?.setAttributes({ 'tensorgate.model': servable.model, 'tensorgate.version': servable.version });
    const rpc = { path, model: servable.model, only, framed, maxResponseBytes, deadlineMs, signal, trace, span };
    return withAnswerMemory(answers, context, async (memory) => {
      const response = await unary({ ...rpc, memory }).catch((thrown: unknown) => {
        throw asTooManyInstances(thrown, batchLimit);
      });
      const wanted = { ...wantedOf(target, rows, maxResponseBytes), take: memory?.take };
      return readPrediction(response, wanted, servable);
    });
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
        const single = createPredictRequest(protocol.predict, pool, target, 1);
        single.copyFrom(request, row);
        return callOf(target, single);
      },
      async send(count, context) {
        return sendPredict(target, request.framed(count), count, context).catch((thrown: unknown) => {
          throw target.input.dtype === 'DT_STRING' ? asUndecodable(thrown, otherTensors) : thrown;
        });
      },
    };
  }

  return {
    ...protocol.lookUp,
    relay: createRelay(unary, protocol, options),
    servers: () => client.addresses,
    connect: () => waitForConnection(client),
    prepare(target, capacity) {
      checkSize(target, capacity);
      return callOf(target, createPredictRequest(protocol.predict, pool, target, capacity));
    },
    async predict(target, inputs, rows, context) {
      const { framed, release } = await frameTensors(protocol.predict, pool, target, inputs);
      const prediction = await sendPredict(target, framed, rows, context).catch((thrown: unknown) => {
        throw asInvalidTensor(thrown, otherTensors);
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
