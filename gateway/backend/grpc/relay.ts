/** Sends requests of clients as they are, with another servable. The client speaks the protocol of the servers. */
import type { Relay, RelayTarget } from '../../domain/backend.ts';
import type { RoomyMessage } from '../../domain/roomy-message.ts';
import { GatewayError } from '../../errors.ts';
import { BackwardWriter } from '../../tensor/backward-writer.ts';
import { type AnswerLimits, withAnswerMemory } from './answer-memory.ts';
import { maxAnswerBytes, wantedOf } from './answer-size.ts';
import { MAX_MESSAGE_BYTES } from './channel.ts';
import { asRefusedRequest } from './failure.ts';
import { prefixed } from './framing.ts';
import type { ServerProtocol } from './protocol.ts';
import type { Unary } from './unary.ts';

/** Makes the relay. Failed RPCs throw the GatewayErrors of failure.ts; `invalid_tensor` has the text of the server. */
export function createRelay(
  unary: Unary,
  { predict, relay }: Pick<ServerProtocol, 'predict' | 'relay'>,
  { maxOutputBytes, answers }: AnswerLimits,
): Relay {
  return async (target, rest, rows, context) => {
    const { deadlineMs, signal, trace, span } = context;
    const { method, only, servable } = target;
    const path = relay.paths[method];
    if (path === undefined) throw new GatewayError('not_found', `The model servers have no ${method}.`);
    const maxResponseBytes = maxAnswerBytes(target, rows, maxOutputBytes);
    const framed = frameRelayed(relay, target, rest);
    span?.setAttributes({ 'tensorgate.model': servable.model, 'tensorgate.version': servable.version });
    const rpc = { path, model: servable.model, only, framed, maxResponseBytes, deadlineMs, signal, trace, span };
    return await withAnswerMemory(answers, context, async (memory) => {
      const message = await unary({ ...rpc, memory }).catch((thrown: unknown) => {
        throw asRefusedRequest(thrown, predict.otherTensors);
      });
      return {
        message,
        version: relay.readVersion(message, servable),
        async outputs() {
          const wanted = wantedOf(target, rows, maxResponseBytes);
          return (await predict.readPrediction(message, wanted, servable)).outputs;
        },
      };
    });
  };
}

/**
 * The request with gRPC's prefix. The head is written into the free memory before `rest`: HEAD_ROOM and the client's own
 * head, which has the same names.
 */
function frameRelayed(
  { writeServable }: ServerProtocol['relay'],
  { servable, signature }: RelayTarget,
  { memory, start, end }: RoomyMessage,
): Buffer {
  const writer = new BackwardWriter(new Uint8Array(memory), start);
  writeServable(writer, servable, signature);
  if (end - writer.start > MAX_MESSAGE_BYTES) {
    throw new GatewayError('body_too_large', 'The tensors are too large for one request; send fewer instances.');
  }
  return prefixed(memory, writer.start, end);
}
