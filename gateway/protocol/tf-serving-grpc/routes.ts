/** TF-Serving's gRPC API: PredictionService, and GetModelStatus of ModelService. Tensors pass to TF-Serving as bytes. */
import type { RequestContext } from '../../domain/request.ts';
import type { Servable, VersionStatus } from '../../domain/servable.ts';
import { inTurns } from '../../domain/steps.ts';
import { GatewayError } from '../../errors.ts';
import type { Method, Methods } from '../../grpc/method.ts';
import type { InferRequest, infer } from '../../pipeline/infer.ts';
import type { RelayAnswer, RelayRequest } from '../../pipeline/relay.ts';
import { type Routed, signatureOf } from '../../pipeline/signature.ts';
import { writeMetadata, writeStatuses } from './answer.ts';
import {
  type RelayedMethod,
  type RelayedRequest,
  readMetadataRequest,
  readRelayed,
  readStatusRequest,
} from './request.ts';
import { writeSignatureDefs } from './signature-defs.ts';
import { readTensors, writePrediction } from './tensors.ts';

const PREDICTION_SERVICE = 'tensorflow.serving.PredictionService';
const MODEL_SERVICE = 'tensorflow.serving.ModelService';

export const TF_SERVING_SERVICES: readonly string[] = [PREDICTION_SERVICE, MODEL_SERVICE];

export type TfServingGrpcOptions = {
  /** Throws if the request cannot be admitted. Called before its message is received. */
  readonly check: (context: RequestContext) => void;
  readonly resolve: (asked: Servable, context: RequestContext) => Promise<Routed>;
  readonly relay: (request: RelayRequest, context: RequestContext) => Promise<RelayAnswer>;
  readonly infer: (request: InferRequest, context: RequestContext) => ReturnType<typeof infer>;
  /** The states of a model's versions: AVAILABLE are those that may answer. Empty for a model that is not known. */
  readonly statuses: (model: string) => readonly VersionStatus[];
};

/** Creates the methods. */
export function tfServingMethods(options: TfServingGrpcOptions): Methods {
  return {
    [`/${PREDICTION_SERVICE}/Predict`]: relayMethod('Predict', options),
    [`/${PREDICTION_SERVICE}/Classify`]: relayMethod('Classify', options),
    [`/${PREDICTION_SERVICE}/Regress`]: relayMethod('Regress', options),
    [`/${PREDICTION_SERVICE}/GetModelMetadata`]: metadataMethod(options),
    [`/${MODEL_SERVICE}/GetModelStatus`]: statusMethod(options),
  };
}

function relayMethod(method: RelayedMethod, options: TfServingGrpcOptions): Method {
  const { check, resolve, relay } = options;
  return async (call, context) => {
    check(context);
    const request = readRelayed(await call.message(), method);
    const { servable } = request;
    context.note(servable);
    const routed = await resolve(servable, context);
    context.note({ version: routed.version });
    const isConverted = method === 'Predict' && routed.metadata.protocol !== 'tf-serving';
    if (isConverted) return [await predictTensors({ ...request, routed }, options, context)];
    const { message } = await relay({ ...request, method, routed }, context);
    return [message];
  };
}

/** Predicts with servers of another protocol. */
async function predictTensors(
  { rest, rows, ...known }: RelayedRequest & { readonly routed: Routed },
  { infer }: Pick<TfServingGrpcOptions, 'infer'>,
  context: RequestContext,
): Promise<Uint8Array> {
  const { routed, signature } = known;
  const tensors = await readTensors(rest, signatureOf(routed.metadata, signature));
  const answer = await infer({ ...known, ...tensors, rows }, context);
  return inTurns(writePrediction({ ...answer, model: routed.card.name, signature }));
}

function metadataMethod({ resolve }: TfServingGrpcOptions): Method {
  return async (call, context) => {
    const servable = readMetadataRequest(await call.message());
    context.note(servable);
    const { card, version, metadata } = await resolve(servable, context);
    context.note({ version });
    return [writeMetadata(card.name, version, metadata.signatureDefs ?? writeSignatureDefs(metadata.signatures))];
  };
}

/** A label is not looked at, as in TF-Serving. */
function statusMethod({ resolve, statuses }: TfServingGrpcOptions): Method {
  return async (call, context) => {
    const { model, version } = readStatusRequest(await call.message());
    context.note({ model, version });
    // A model that no request has named yet may be at the servers.
    if (statuses(model).length === 0) await resolve({ model }, context);
    const all = statuses(model);
    const wanted = version === undefined ? all : all.filter((one) => one.version === version);
    if (wanted.length > 0) return [writeStatuses(wanted)];
    throw new GatewayError(
      'model_not_found',
      `model_spec.version: no model server has version ${version} of ${model}.`,
    );
  };
}
