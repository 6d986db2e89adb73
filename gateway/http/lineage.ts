/** GET /v1/models/MODEL/versions/VERSION/lineage: how a version was made. */
import express, { type Router } from 'express';
import { GatewayError } from '../errors.ts';
import type { ModelCard } from '../model/card.ts';
import { readLineage } from '../model/lineage.ts';
import type { Door } from './door.ts';

/** Other methods and paths below /v1/models are those of TF-Serving's REST API. */
const PATH = /^\/v1\/models\/(?<model>[^/]+)\/versions\/(?<version>[^/]+)\/lineage$/i;

/** Creates the route. `find`: the card of a model. */
export function lineageRoutes(door: Door, find: (model: string) => ModelCard | undefined): Router {
  const router = express.Router();
  router.get(
    PATH,
    door('/v1/models/{model}/versions/{version}/lineage', async ({ params }, _response, context) => {
      const { model = '', version: digits = '' } = params as Record<string, string>;
      const version = /^\d+$/.test(digits) ? Number(digits) : Number.NaN;
      if (!Number.isSafeInteger(version))
        throw new GatewayError('invalid_request', 'version: the path needs the number of a version, such as 3.');
      context.note({ model, version });
      const card = find(model);
      if (!card)
        throw new GatewayError('model_not_found', `There is no model ${model.slice(0, 80)}; GET /models lists them.`);
      const lineage = await readLineage(card, version);
      return { status: 200, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(lineage) };
    }),
  );
  return router;
}
