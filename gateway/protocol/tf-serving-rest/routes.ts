/** TF-Serving's REST API: /v1/models/…, with its statuses and texts. */
import express, { type Router } from 'express';
import type { RequestContext } from '../../domain/request.ts';
import type { AskedServable, VersionStatus } from '../../domain/servable.ts';
import { asGatewayError, type GatewayError } from '../../errors.ts';
import type { BodyReader } from '../../http/body.ts';
import type { Door, Handler } from '../../http/door.ts';
import type { JsonCodec } from '../../http/json/codec.ts';
import type { InferRequest, infer } from '../../pipeline/infer.ts';
import type { PicturesAnswer, PicturesRequest } from '../../pipeline/pictures.ts';
import { jsonAnswer, renderStatus, writePictures, writePredictions, writeResults } from './answer.ts';
import { classificationsOf, INPUT, type Method, outputsOf, regressionsOf } from './examples.ts';
import { asServableError, renderFailure } from './failure.ts';
import { metadataText } from './metadata-text.ts';
import { type AskedModel, malformed, PATHS, readPath } from './path.ts';
import { readExamples, readPredict, servableOf } from './request.ts';

type Routed = InferRequest['routed'];

export type TfServingRestOptions = {
  readonly readBody: BodyReader;
  readonly write: JsonCodec['write'];
  readonly maxInstances: number;
  /** Throws if the request cannot be admitted. Called before its body is read. */
  readonly check: (context: RequestContext) => void;
  readonly resolve: (asked: AskedServable, context: RequestContext) => Promise<Routed>;
  /** What the model servers say of each version. Undefined for a model that is not known. */
  readonly statuses: (model: string) => readonly VersionStatus[] | undefined;
  readonly infer: (request: InferRequest, context: RequestContext) => ReturnType<typeof infer>;
  readonly predictPictures: (request: PicturesRequest, context: RequestContext) => Promise<PicturesAnswer>;
};

/** Creates the routes below /v1/models. As in TF-Serving, every other path and method there is a malformed request. */
export function tfServingRestRoutes(door: Door, options: TfServingRestOptions): Router {
  const router = express.Router();
  const behind = (route: string, handler: Handler) => door(route, handler, renderFailure);
  router.post(PATHS.predict, behind('/v1/models/{model}:predict', predictHandler(options)));
  router.post(PATHS.classify, behind('/v1/models/{model}:classify', examplesHandler('classify', options)));
  router.post(PATHS.regress, behind('/v1/models/{model}:regress', examplesHandler('regress', options)));
  router.get(PATHS.metadata, behind('/v1/models/{model}/metadata', metadataHandler(options)));
  router.get(PATHS.status, behind('/v1/models/{model}', statusHandler(options)));
  router.all(
    PATHS.other,
    behind('/v1', async ({ method, path }) => {
      throw malformed(method, path);
    }),
  );
  return router;
}

/** Creates the handler of POST …:predict. */
export function predictHandler(options: TfServingRestOptions): Handler {
  const { readBody, write, maxInstances, check } = options;
  return async (request, response, context) => {
    const asked = readPath(request.method, request.path);
    const servable = servableOf(asked);
    context.note(servable);
    check(context);
    const routed = await routedOrMissing(options, asked, context);
    const exchange = { request, response, signal: context.signal };
    const body = await readPredict(readBody, exchange, routed, maxInstances);
    const known = { servable, routed: routed as Routed };
    if (body.kind === 'pictures') {
      const { instances, names } = body;
      const pictures = { ...known, instances, outputs: 'all', ids: names?.ids } as const;
      const answer = await options.predictPictures(pictures, context);
      return jsonAnswer(await writePictures(write, answer.outcomes, names), answer.routed.version);
    }
    const { signature, rows, names } = body;
    const inputs = new Map(body.inputs);
    const prediction = await options.infer({ ...known, signature, inputs, rows, ids: names?.ids }, context);
    return jsonAnswer(await writePredictions(write, prediction.outputs, body), prediction.version);
  };
}

/** Creates the handler of POST …:classify or …:regress. */
export function examplesHandler(method: Method, options: TfServingRestOptions): Handler {
  const resultsOf = method === 'classify' ? classificationsOf : regressionsOf;
  return async (request, response, context) => {
    const asked = readPath(request.method, request.path);
    const servable = servableOf(asked);
    context.note(servable);
    options.check(context);
    const routed = await routedOrMissing(options, asked, context);
    const exchange = { request, response, signal: context.signal };
    const { signature, examples, count } = await readExamples(options.readBody, exchange);
    if (routed instanceof Error) throw routed;
    const outputs = outputsOf(method, signature, routed.metadata.signatures.get(signature));
    const inputs = new Map([[INPUT, examples]]);
    const prediction = await options.infer({ servable, routed, signature, inputs, rows: count, outputs }, context);
    return jsonAnswer(await writeResults(options.write, resultsOf(prediction.outputs, count)), prediction.version);
  };
}

function metadataHandler(options: TfServingRestOptions): Handler {
  return async ({ method, path }, _response, context) => {
    const asked = readPath(method, path);
    context.note(servableOf(asked));
    const routed = await routedOrMissing(options, asked, context);
    if (routed instanceof Error) throw routed;
    return jsonAnswer(metadataText(asked.model, routed.metadata), routed.version);
  };
}

/** A label is not looked at, as in TF-Serving. */
function statusHandler({ statuses, resolve }: TfServingRestOptions): Handler {
  return async ({ method, path }, _response, context) => {
    const { label: _, ...asked } = readPath(method, path);
    context.note(servableOf(asked));
    const { model } = asked;
    // A model that no request has named yet may be at the servers.
    if (!statuses(model)) await resolve({ model }, context).catch(ignoreMissing);
    return renderStatus(asked, statuses(model) ?? []);
  };
}

function ignoreMissing(thrown: unknown): void {
  if (asGatewayError(thrown).kind !== 'model_not_found') throw thrown;
}

/**
 * The version of a request, or the error of a model that is not there. Throws the gateway's own refusals. Logged is the
 * version that answers.
 */
async function routedOrMissing(
  { resolve }: TfServingRestOptions,
  asked: AskedModel,
  context: RequestContext,
): Promise<Routed | GatewayError> {
  try {
    const routed = await resolve(servableOf(asked), context);
    context.note({ version: routed.version });
    return routed;
  } catch (thrown) {
    const error = asGatewayError(thrown);
    if (error.kind !== 'model_not_found') throw thrown;
    return asServableError(error, asked);
  }
}
