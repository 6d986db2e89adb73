/** The line for requests in the protocol of the model servers: they go to a server, and its answers to the client, as they are. */
import type { RelayTarget } from '../domain/backend.ts';
import type { RequestContext } from '../domain/request.ts';
import type { RoomyMessage } from '../domain/roomy-message.ts';
import type { Servable } from '../domain/servable.ts';
import { expectedTensors } from '../model/expected-answer.ts';
import { signatureOf } from '../model/find-signature.ts';
import type { Routed } from '../model/route.ts';
import { routeByInstance } from './by-instance.ts';
import { ownLine } from './own-line.ts';
import { predictKnown } from './predict-known.ts';
import { checkEncodedInput } from './relay-pictures.ts';
import { requireAnswer } from './require-answer.ts';
import { callServer } from './retry-while-full.ts';
import type { TensorStages } from './stages.ts';

export type RelayRequest = {
  readonly method: RelayTarget['method'];
  readonly servable: Servable;
  /** The version that was selected for it. */
  readonly routed: Routed;
  readonly signature: string;
  /** The request without its servable. */
  readonly rest: RoomyMessage;
  /** Rows of the inputs: what the answer may have. At least 1. */
  readonly rows: number;
  /** The outputs that the request names. Unset: all. */
  readonly outputs?: readonly string[] | undefined;
};

export type RelayAnswer = { readonly version: number; readonly message: Uint8Array };

/** Classify and Regress answer labels and numbers, not the outputs of the signature. */
const LABELLED: readonly RelayTarget['method'][] = ['Classify', 'Regress'];
const UNKNOWN = { outputs: [], wantedElements: 0, elements: undefined };

/**
 * Sends the request with the pinned version. Throws `invalid_request` for a signature that the version
 * lacks, `invalid_tensor` with the text of a server that refuses the tensors, and `not_found` where the servers speak another
 * protocol.
 */
export async function relay(shared: TensorStages, request: RelayRequest, given: RequestContext): Promise<RelayAnswer> {
  const { method, servable, signature: name, rest, rows } = request;
  const { stages, context: own } = ownLine(shared, request.routed.card, given);
  checkEncodedInput(stages, request);
  const { routed: first, context } = await routeByInstance(stages, request, own);
  return predictKnown(stages, { routed: first, servable, images: 1 }, context, async (routed) => {
    const { card, version, servers } = routed;
    const signature = signatureOf(routed.metadata, name);
    const answer = LABELLED.includes(method) ? UNKNOWN : expectedTensors(signature, request.outputs);
    const target = { method, servable: { model: card.name, version }, only: servers, signature: name, answer };
    const answered = await callServer(stages.admission, context, (timed) =>
      stages.backend.relay(target, rest, rows, timed),
    );
    requireAnswer({ version: answered.version, outputs: new Map() }, version, []);
    const sizes = { requestBytes: rest.end - rest.start, answerBytes: answered.message.length };
    const { outputs } = answered;
    const about = { method, routed, signature: name, rows, rest, outputs };
    stages.onPredicted?.({ kind: 'relayed', ...about, ...sizes }, given);
    return { version, message: answered.message };
  });
}
