/** GET /models/MODEL/examples: instances to try a model with. */
import path from 'node:path';
import express, { type Request, type Router } from 'express';
import type { RequestContext } from '../domain/request.ts';
import { type Examples, readExamplePicture, readExamples } from '../model/examples.ts';
import type { Routed } from '../model/route.ts';
import { allowOnly, type Door, type Handler } from './door.ts';

/** Finds the version that requests for a model get. Throws the errors of Route.resolve. */
export type FindRouted = (model: string, context: RequestContext) => Promise<Pick<Routed, 'card' | 'version'>>;

/** Media types by the names of files. Browsers and curl look at the bytes, so others need none. */
const TYPES: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
};

/** Creates the routes of examples. */
export function examplesRoutes(door: Door, find: FindRouted): Router {
  const router = express.Router();
  const only = (target: string, route: string, handler: Handler) =>
    router
      .route(target)
      .get(door(route, handler))
      .all(door(route, allowOnly('GET, HEAD')));
  only('/models/:model/examples', '/models/{model}/examples', async (request, _response, context) => {
    const { card, version } = await find(parameter(request, 'model'), context);
    const examples: Examples = await readExamples(card, version);
    return { status: 200, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(examples) };
  });
  only(
    '/models/:model/examples/:picture',
    '/models/{model}/examples/{picture}',
    async (request, _response, context) => {
      const { card } = await find(parameter(request, 'model'), context);
      const name = parameter(request, 'picture');
      const body = await readExamplePicture(card, name);
      const type = TYPES[path.extname(name)] ?? 'application/octet-stream';
      return { status: 200, headers: { 'Content-Type': type }, body };
    },
  );
  return router;
}

function parameter({ params }: Request, name: string): string {
  const value = params[name];
  return typeof value === 'string' ? value : '';
}
