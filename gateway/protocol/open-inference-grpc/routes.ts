/** The Open Inference Protocol over gRPC: inference.GRPCInferenceService, as Triton's and KServe's clients call it. */
import type { RequestContext } from '../../domain/request.ts';
import { freeMessage } from '../../domain/roomy-message.ts';
import type { AskedServable } from '../../domain/servable.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { asGatewayError, GatewayError, type Kind } from '../../errors.ts';
import type { Method, Methods } from '../../grpc/method.ts';
import { tooManyInstances } from '../../http/body-limits.ts';
import type { InferRequest, infer } from '../../pipeline/infer.ts';
import type { PicturesAnswer, PicturesRequest } from '../../pipeline/pictures.ts';
import { type Routed, signatureOf, usualSignature, wantedOutputs } from '../../pipeline/signature.ts';
import { joinRows } from '../../tensor/row-slices.ts';
import { writeBoolean, writeInfer, writeModel, writeServer } from './answer.ts';
import { type InferMessage, readInfer, readNameAndVersion } from './message.ts';
import { type InferBody, readBody, servableOf } from './request.ts';

const SERVICE = 'inference.GRPCInferenceService';

export const OPEN_INFERENCE_SERVICES: readonly string[] = [SERVICE];

/** How long ModelReady waits for a version that is being checked. */
const READY_MS = 1000;
/** A model with one of these errors is not ready. */
const NOT_READY: readonly Kind[] = ['model_not_found', 'model_unavailable', 'version_not_proven'];
/** What Triton calls a SavedModel. */
const PLATFORM = 'tensorflow_savedmodel';

export type OpenInferenceGrpcOptions = {
  /** Of the gateway, for ServerMetadata. */
  readonly server: { readonly name: string; readonly version: string };
  readonly isReady: () => boolean;
  readonly maxInstances: number;
  /** Throws if the request cannot be admitted. Called before its message is received. */
  readonly check: (context: RequestContext) => void;
  readonly resolve: (asked: AskedServable, context: Pick<RequestContext, 'signal' | 'deadlineMs'>) => Promise<Routed>;
  /** The versions of a model that may answer, the newest first. */
  readonly versions: (model: string) => readonly number[];
  readonly infer: (request: InferRequest, context: RequestContext) => ReturnType<typeof infer>;
  readonly predictPictures: (request: PicturesRequest, context: RequestContext) => Promise<PicturesAnswer>;
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

function readyMethod({ resolve }: OpenInferenceGrpcOptions): Method {
  return async (call, context) => {
    const servable = servableOf(readNameAndVersion(await call.message(), 'ModelReadyRequest'));
    context.note(servable);
    const { signal, deadlineMs } = context;
    const soon = { signal, deadlineMs: Math.min(deadlineMs, performance.now() + READY_MS) };
    try {
      await resolve(servable, soon);
      return [writeBoolean(true)];
    } catch (thrown) {
      if (NOT_READY.includes(asGatewayError(thrown).kind)) return [writeBoolean(false)];
      throw thrown;
    }
  };
}

function metadataMethod({ resolve, versions }: OpenInferenceGrpcOptions): Method {
  return async (call, context) => {
    const servable = servableOf(readNameAndVersion(await call.message(), 'ModelMetadataRequest'));
    context.note(servable);
    const { card, version, metadata } = await resolve(servable, context);
    context.note({ version });
    const { inputs, outputs } = signatureOf(metadata, usualSignature(card, metadata));
    const all = servable.version === undefined ? versions(card.name) : [version];
    return [writeModel({ name: card.name, versions: all, platform: PLATFORM, inputs, outputs })];
  };
}

function inferMethod(options: OpenInferenceGrpcOptions): Method {
  const { check, resolve } = options;
  return async (call, context) => {
    check(context);
    const received = await call.message();
    const message = readInfer(received);
    const servable = servableOf(message);
    context.note(servable);
    const routed = await resolve(servable, context);
    context.note({ version: routed.version });
    const body = await readBody(message, routed);
    const known = { servable, routed };
    const answer =
      body.kind === 'pictures'
        ? await predictPictures(body, known, options, context)
        : await predictTensors(body, known, options, context);
    const reply = writeInfer({ ...answer, model: servable.model, id: message.id, asLists: isListed(message) });
    freeMessage(received);
    return reply;
  };
}

/** Whether the inputs have their contents in lists. */
function isListed({ inputs, raw }: InferMessage): boolean {
  return raw.length === 0 && inputs.length > 0;
}

type Known = { readonly servable: AskedServable; readonly routed: Routed };
type Predicted = { readonly version: number; readonly outputs: readonly (readonly [string, Tensor])[] };

async function predictTensors(
  { signature, inputs, rows, outputs: wanted }: Extract<InferBody, { kind: 'tensors' }>,
  known: Known,
  { infer: send }: OpenInferenceGrpcOptions,
  context: RequestContext,
): Promise<Predicted> {
  const { version, outputs } = await send({ ...known, signature, inputs, rows, outputs: wanted }, context);
  return { version, outputs: [...outputs] };
}

/** Encoded pictures become rows of the model's input. The first that cannot be read fails the request. */
async function predictPictures(
  { signature, instances, outputs }: Extract<InferBody, { kind: 'pictures' }>,
  known: Known,
  { predictPictures: send, maxInstances }: OpenInferenceGrpcOptions,
  context: RequestContext,
): Promise<Predicted> {
  if (instances.length > maxInstances) throw tooManyInstances(maxInstances);
  const wanted = wantedOutputs(known.routed, signature, outputs);
  const { routed, outcomes } = await send({ ...known, instances, outputs: 'all' }, context);
  const rows = outcomes.map((outcome) => {
    if ('error' in outcome) throw outcome.error;
    return outcome.outputs;
  });
  const joined = wanted.map((name) => {
    const tensor = joinRows(rows.flatMap((row) => row.get(name) ?? []));
    if (tensor) return [name, tensor] as const;
    throw new GatewayError('model_failed', `${name}: the model's answers for the pictures differ in their form.`);
  });
  return { version: routed.version, outputs: joined };
}
