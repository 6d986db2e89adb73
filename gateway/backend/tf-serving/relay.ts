/** Sends requests of TF-Serving's PredictionService as they are, with another model_spec. */
import type { Relay, RelayTarget } from '../../domain/backend.ts';
import type { RoomyMessage } from '../../domain/roomy-message.ts';
import { GatewayError } from '../../errors.ts';
import { BackwardWriter } from '../../tensor/backward-writer.ts';
import { FieldReader } from '../../tensor/field-reader.ts';
import { MAX_MESSAGE_BYTES } from '../grpc/channel.ts';
import { asRefusedRequest } from '../grpc/failure.ts';
import type { Unary } from '../grpc/unary.ts';
import { maxAnswerBytes } from './answer-size.ts';
import { readable } from './messages.ts';
import { prefixed, writeModelSpec } from './request-head.ts';
import { readServedVersion } from './version.ts';

const SERVICE = '/tensorflow.serving.PredictionService';
/** The field `model_spec` of PredictResponse, ClassificationResponse and RegressionResponse. */
const ANSWERED_SPEC = 2;
/** Fields of a response beside those of its outputs, which are skipped. It bounds the time. */
const MAX_FIELDS = 2 ** 16;

/** Makes the relay. Failed RPCs throw the GatewayErrors of failure.ts; `invalid_tensor` has the text of the server. */
export function createRelay(unary: Unary, maxOutputBytes: number): Relay {
  return async (target, rest, rows, { deadlineMs, signal }) => {
    const { method, only, servable } = target;
    const maxResponseBytes = maxAnswerBytes(target, rows, maxOutputBytes);
    const framed = frameRelayed(target, rest);
    const rpc = {
      path: `${SERVICE}/${method}`,
      model: servable.model,
      only,
      framed,
      maxResponseBytes,
      deadlineMs,
      signal,
    };
    const message = await unary(rpc).catch((thrown: unknown) => {
      throw asRefusedRequest(thrown);
    });
    return { message, version: answeredVersion(message) };
  };
}

/**
 * The request with gRPC's prefix. The head is written into the free memory before `rest`: HEAD_ROOM and the client's own
 * model_spec, which has the same names.
 */
function frameRelayed({ servable, signature }: RelayTarget, { memory, start, end }: RoomyMessage): Buffer {
  const writer = new BackwardWriter(new Uint8Array(memory), start);
  writeModelSpec(writer, servable, signature);
  if (end - writer.start > MAX_MESSAGE_BYTES) {
    throw new GatewayError('body_too_large', 'The tensors are too large for one request; send fewer instances.');
  }
  return prefixed(memory, writer.start, end);
}

/** The version in the response's model_spec. Throws `model_failed` for bytes that are no response. */
function answeredVersion(response: Uint8Array): number | undefined {
  return readable(() => {
    const at = new FieldReader(response, { fields: MAX_FIELDS });
    let version: number | undefined;
    while (at.next()) if (at.field === ANSWERED_SPEC) version = readServedVersion(at.message) ?? version;
    return version;
  });
}
