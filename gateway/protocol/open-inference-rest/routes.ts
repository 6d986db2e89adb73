/** The Open Inference Protocol over REST: /v2/…, as Triton's and KServe's clients call it. */
import express, { type Router } from 'express';
import { GatewayError } from '../../errors.ts';
import type { BodyReader } from '../../http/body.ts';
import { allowOnly, type Door, type Handler, healthOnly } from '../../http/door.ts';
import { errorText } from '../../http/error-text.ts';
import type { JsonCodec } from '../../http/json/codec.ts';
import { describeModel, requireReady } from '../../open-inference/models.ts';
import type { OpenInferenceOptions } from '../../open-inference/options.ts';
import { predict } from '../../open-inference/predict.ts';
import { jsonAnswer, renderInfer } from './answer.ts';
import { PATHS, readPath } from './path.ts';
import { readInfer } from './request.ts';

export type OpenInferenceRestOptions = OpenInferenceOptions & {
  readonly readBody: BodyReader;
  readonly write: JsonCodec['write'];
};

/** What /v2 offers beyond the protocol itself. */
const EXTENSIONS = ['binary_tensor_data', 'classification'];

/** Creates the routes below /v2. Health needs no API key and counts for no limit, as /health does. */
export function openInferenceRestRoutes(door: Door, options: OpenInferenceRestOptions): Router {
  const router = express.Router();
  const behind = (route: string, handler: Handler) => door(route, handler, (failure) => errorText(failure));
  const only = (method: 'get' | 'post', path: string | RegExp, route: string, handler: Handler) =>
    router
      .route(path)
      [method](behind(route, handler))
      .all(behind(route, allowOnly(method === 'get' ? 'GET, HEAD' : 'POST')));
  router.get('/v2/health/live', (_request, response) => {
    response.json({ live: true });
  });
  router.get('/v2/health/ready', (_request, response) => {
    const ready = options.isReady();
    response.status(ready ? 200 : 503).json({ ready });
  });
  router.all(
    /^\/v2\/health\/(?:live|ready)$/,
    healthOnly((failure) => errorText(failure)),
  );
  only('get', '/v2', '/v2', async () => jsonAnswer({ ...options.server, extensions: EXTENSIONS }));
  only('get', PATHS.model, '/v2/models/{model}', metadataHandler(options));
  only('get', PATHS.ready, '/v2/models/{model}/ready', readyHandler(options));
  only('post', PATHS.infer, '/v2/models/{model}/infer', inferHandler(options));
  router.all(PATHS.other, behind('/v2', noSuchRoute));
  return router;
}

const noSuchRoute: Handler = async () => {
  throw new GatewayError('not_found', 'There is no such route; predictions are at POST /v2/models/{model}/infer.');
};

function metadataHandler(options: OpenInferenceOptions): Handler {
  return async ({ path }, _response, context) => {
    const servable = readPath(path);
    context.note(servable);
    return jsonAnswer(await describeModel(options, servable, context));
  };
}

function readyHandler(options: OpenInferenceOptions): Handler {
  return async ({ path }, _response, context) => {
    const servable = readPath(path);
    context.note(servable);
    await requireReady(options, servable, context);
    return jsonAnswer({ name: servable.model, ready: true });
  };
}

/** Creates the handler of POST …/infer. */
export function inferHandler(options: OpenInferenceRestOptions): Handler {
  const { check, resolve, readBody, write } = options;
  return async (request, response, context) => {
    const servable = readPath(request.path);
    context.note(servable);
    check(context);
    const routed = await resolve(servable, context);
    context.note({ version: routed.version });
    const { id, body, isBinary, free } = await readInfer(
      readBody,
      { request, response, signal: context.signal },
      routed,
    );
    const predicted = await predict(body, { servable, routed, id }, options, context);
    free();
    return renderInfer(write, { ...predicted, model: servable.model, id, isBinary });
  };
}
