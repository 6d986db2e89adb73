/** The Open Inference Protocol over gRPC: inference.GRPCInferenceService, as Triton's and KServe's clients call it. */
import type { RequestContext } from '../../domain/request.ts';
import { freeMessage, type RoomyMessage } from '../../domain/roomy-message.ts';
import { asGatewayError, type Kind } from '../../errors.ts';
import type { Method, Methods } from '../../grpc/method.ts';
import { describeModel, requireReady, servableOf } from '../../open-inference/models.ts';
import type { OpenInferenceOptions } from '../../open-inference/options.ts';
import { predict } from '../../open-inference/predict.ts';
import type { RelayRequest } from '../../pipeline/relay.ts';
import { writeBoolean, writeInfer, writeModel, writeServer } from './answer.ts';
import { type ModelInferRequest, readInfer, readNameAndVersion, withoutServable } from './message.ts';
import { checkBody, isRelayed, readBody } from './request.ts';

const SERVICE = 'inference.GRPCInferenceService';

export const OPEN_INFERENCE_SERVICES: readonly string[] = [SERVICE];

/** A model with one of these errors is not ready. */
const NOT_READY: readonly Kind[] = ['model_not_found', 'model_unavailable', 'version_not_proven'];

export type OpenInferenceGrpcOptions = OpenInferenceOptions & {
  /** Passes a request to the model servers. Resolves to their answer. */
  readonly relay: (request: RelayRequest, context: RequestContext) => Promise<Uint8Array>;
};

/** Creates the methods. */
export function openInferenceMethods(options: OpenInferenceGrpcOptions): Methods {
  const { server, isReady } = options;
  const methods: Methods = {
    ServerLive: serverMethod(() => writeBoolean(true)),
    ServerReady: serverMethod(() => writeBoolean(isReady())),
    ServerMetadata: serverMethod(() => writeServer(server)),
    ModelReady: readyMethod(options),
    ModelMetadata: metadataMethod(options),
    ModelInfer: inferMethod(options),
  };
  return Object.fromEntries(Object.entries(methods).map(([name, method]) => [`/${SERVICE}/${name}`, method]));
}

/** A method whose request has no fields. */
function serverMethod(answer: () => Uint8Array): Method {
  return async (call) => {
    await call.message();
    return [answer()];
  };
}

function readyMethod(options: OpenInferenceOptions): Method {
  return async (call, context) => {
    const servable = servableOf(readNameAndVersion(await call.message(), 'ModelReadyRequest'));
    context.note(servable);
    try {
      await requireReady(options, servable, context);
      return [writeBoolean(true)];
    } catch (thrown) {
      if (NOT_READY.includes(asGatewayError(thrown).kind)) return [writeBoolean(false)];
      throw thrown;
    }
  };
}

function metadataMethod(options: OpenInferenceOptions): Method {
  return async (call, context) => {
    const servable = servableOf(readNameAndVersion(await call.message(), 'ModelMetadataRequest'));
    context.note(servable);
    return [writeModel(await describeModel(options, servable, context))];
  };
}

function inferMethod(options: OpenInferenceGrpcOptions): Method {
  const { check, resolve, relay } = options;
  return async (call, context) => {
    check(context);
    const received = await call.message();
    const message = readInfer(received);
    const servable = servableOf(message);
    context.note(servable);
    const routed = await resolve(servable, context);
    context.note({ version: routed.version });
    const known = { servable, routed };
    if (isRelayed(message, routed)) return [await relay(await relayRequest(message, received, known), context)];
    const answer = await predict(await readBody(message, routed), { ...known, id: message.id }, options, context);
    const reply = await writeInfer({ ...answer, model: servable.model, id: message.id, asLists: isListed(message) });
    freeMessage(received);
    return reply;
  };
}

/** A request that passes as it is. */
async function relayRequest(
  message: ModelInferRequest,
  received: RoomyMessage,
  known: Pick<RelayRequest, 'servable' | 'routed'>,
): Promise<RelayRequest> {
  const body = await checkBody(message, known.routed);
  const rest = withoutServable(received);
  // A row takes a byte at least, unless the shape is not that of the contents.
  const rows = 'rows' in body ? Math.min(body.rows, rest.end - rest.start) : 1;
  const { signature, outputs } = body;
  return { ...known, method: 'ModelInfer', signature, rest, rows: Math.max(1, rows), outputs };
}

/** Whether the inputs have their contents in lists. */
function isListed({ inputs, raw }: ModelInferRequest): boolean {
  return raw.length === 0 && inputs.length > 0;
}
